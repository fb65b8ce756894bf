/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tunechoctl ping --from: pings that come from elsewhere. Nothing is sent: the kernel is asked whether it would
 * take a request of the client on each interface, and where it would send the reply.
 *
 *     client  ->  interface  ->  device        a question for each interface that is up
 *     client  <-  next hop   <-  device        one question, and the neighbour entry of the next hop
 */

#include "client/from.h"

#include <err.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client/ctl.h"
#include "client/ping-cause.h"
#include "common/util.h"
#include "net/link.h"
#include "net/neighbour.h"
#include "net/netlink.h"
#include "net/ping-route.h"

/* The hooks that forwarded packets pass. */
#define FORWARD_HOOKS \
        (NFT_HOOK_INGRESS | NFT_HOOK_PREROUTING | NFT_HOOK_FORWARD | NFT_HOOK_POSTROUTING | NFT_HOOK_EGRESS)

struct from_query {
        struct netlink *netlink;
        const struct link_list *links;
        const struct link_info *device;
};

static const struct link_info *find_link(const struct link_list *links, unsigned index, const char *name)
{
        for (size_t i = 0; i < links->n; i++)
                if (name ? strcmp(links->items[i].name, name) == 0 : links->items[i].index == index)
                        return &links->items[i];

        return NULL;
}

/* Fills in what the kernel answers about one direction. */
static void path_set(struct from_path *path, const struct from_query *query, const struct ping_route *ping,
                     const struct link_info *in, const struct cause_answers *answers)
{
        const struct link_info *out = find_link(query->links, answers->route.oif, NULL);
        const struct address *source = answers->is_reply ? &ping->peer : &ping->client;
        const struct address *destination = answers->is_reply ? &ping->client : &ping->peer;
        char source_text[PREFIX_TEXT_SIZE], destination_text[PREFIX_TEXT_SIZE];
        const struct cause_names names = {
                .family = ping->client.family,
                .source = address_text(source_text, source),
                .destination = address_text(destination_text, destination),
                .device = query->device->name,
                .in = in->name,
                .out = out ? out->name : "",
        };
        enum cause cause = cause_find(answers);

        *path = (struct from_path) { .cause = cause == CAUSE_NONE ? NULL : cause_name(cause) };
        strcpy(path->in, in->name);
        strcpy(path->out, names.out);
        (void) cause_text(path->text, sizeof(path->text), cause, &names);
        (void) cause_remedy(path->remedy, sizeof(path->remedy), cause, &names);
}

/* A cause that is no route's, with the text that it has for pings of this host. */
static void path_set_cause(struct from_path *path, enum ping_cause cause, const char *name)
{
        const struct cause_names names = { .device = name };

        *path = (struct from_path) { .cause = ping_cause_name(cause) };
        strcpy(path->in, name);
        (void) ping_cause_text(path->text, sizeof(path->text), cause, &names);
        (void) ping_cause_remedy(path->remedy, sizeof(path->remedy), cause, &names);
}

/* Whether the client was heard of on an interface. */
static bool is_neighbour(const struct from_query *query, unsigned index, const struct address *client)
{
        uint16_t state;

        return neighbour_get(query->netlink, index, client, &state) >= 0 &&
               (state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)) != 0;
}

/* Sets the path to what the kernel answers about requests that arrive on an interface. */
static int ask_request(struct from_path *path, const struct from_query *query, const struct ping_route *ping,
                       const struct link_info *link)
{
        struct cause_answers answers;
        int r;

        if (ping->client.family == AF_INET6 && !link->has_ipv6) {
                path_set_cause(path, PING_CAUSE_IPV6_OFF, link->name);
                /* Unlike the device, no instance has to set addresses again. */
                (void) snprintf(path->remedy, sizeof(path->remedy), "sysctl -w net/ipv6/conf/%s/disable_ipv6=0",
                                link->name);
                return 0;
        }

        r = ping_route_get_request(query->netlink, ping, link->index, &answers);
        if (r < 0)
                return r;

        path_set(path, query, ping, link, &answers);
        return 0;
}

/*
 * Adds a path for each interface. The likely one is that on which the client is a neighbour, else that to which
 * it is routed. Interfaces that are removed meanwhile, or do not have the family any more, are left out.
 */
static int ask_requests(struct from_report *report, const struct from_query *query,
                        const struct ping_route *ping, unsigned client_oif)
{
        struct from_path *routed = NULL, *neighbour = NULL;

        report->requests = calloc(query->links->n, sizeof(*report->requests));
        if (!report->requests)
                return -ENOMEM;

        for (size_t i = 0; i < query->links->n; i++) {
                const struct link_info *link = &query->links->items[i];
                struct from_path *path = &report->requests[report->n_requests];
                int r;

                if (!link->up || link->is_loopback || link->is_port || link->index == query->device->index)
                        continue;

                r = ask_request(path, query, ping, link);
                if (r == -ENODEV || r == -EINVAL)
                        continue;
                if (r < 0)
                        return r;

                report->n_requests++;
                if (link->index == client_oif)
                        routed = path;
                if (is_neighbour(query, link->index, &ping->client))
                        neighbour = path;
        }

        if (neighbour || routed)
                (neighbour ? neighbour : routed)->is_likely = true;
        return 0;
}

static const char *neighbour_name(uint16_t state)
{
        static const struct {
                uint16_t state;
                const char *name;
        } names[] = {
                { NUD_INCOMPLETE, "incomplete" },
                { NUD_REACHABLE, "reachable" },
                { NUD_STALE, "stale" },
                { NUD_DELAY, "delay" },
                { NUD_PROBE, "probe" },
                { NUD_FAILED, "failed" },
                { NUD_NOARP, "noarp" },
                { NUD_PERMANENT, "permanent" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (state == names[i].state)
                        return names[i].name;

        return NULL;
}

/* Looks at the neighbour entry of the next hop: the gateway, or the client itself. */
static void ask_next_hop(struct from_report *report, const struct from_query *query, const struct route *route)
{
        char text[PREFIX_TEXT_SIZE];
        uint16_t state;

        report->next_hop = route->gateway.family != AF_UNSPEC ? route->gateway : report->client;
        if (neighbour_get(query->netlink, route->oif, &report->next_hop, &state) < 0)
                return;

        report->neighbour = neighbour_name(state);
        if (state != NUD_FAILED && state != NUD_INCOMPLETE)
                return;

        (void) address_text(text, &report->next_hop);
        report->hop.cause = "next-hop";
        (void) snprintf(report->hop.text, sizeof(report->hop.text),
                        "the next hop of the replies, %s on '%s', does not answer %s (%s)", text,
                        report->reply.out, report->next_hop.family == AF_INET ? "ARP" : "neighbour discovery",
                        report->neighbour);
        (void) snprintf(report->hop.remedy, sizeof(report->hop.remedy), "ip neighbour show %s dev %s", text,
                        report->reply.out);
}

/* What is wrong with the device itself, before any route matters. */
static bool check_device(struct from_report *report, const struct from_query *query)
{
        const struct link_info *device = query->device;

        if (!device->up)
                path_set_cause(&report->hop, PING_CAUSE_DEVICE_DOWN, device->name);
        else if (report->client.family == AF_INET6 && !device->has_ipv6)
                path_set_cause(&report->hop, PING_CAUSE_IPV6_OFF, device->name);

        report->stage = report->hop.cause ? "device" : NULL;
        return report->stage == NULL;
}

/* Returns -EADDRINUSE if the client is this host. */
static int check(struct from_report *report, const struct from_query *query)
{
        const struct ping_route ping = {
                .client = report->client,
                .peer = report->peer,
                .device = query->device->index,
        };
        struct cause_answers reply;
        int r;

        if (check_device(report, query)) {
                r = ping_route_get_reply(query->netlink, &ping, &reply);
                if (r < 0)
                        return r;
                if (reply.route.error == 0 && reply.route.type == RTN_LOCAL)
                        return -EADDRINUSE;

                path_set(&report->reply, query, &ping, query->device, &reply);
                r = ask_requests(report, query, &ping,
                                 reply.route.oif > 0 ? reply.route.oif : reply.destination.oif);
                if (r < 0)
                        return r;
                if (!report->reply.cause)
                        ask_next_hop(report, query, &reply.route);
        }

        from_report_decide(report);
        return 0;
}

static void free_reports(struct from_reports *reports)
{
        for (size_t i = 0; i < reports->n; i++)
                free(reports->items[i].requests);
        free(reports->items);
        suspects_free(&reports->suspects);
        *reports = (struct from_reports) { 0 };
}

/* Checks the addresses of the client's family. An error is printed; returns 0 or the exit status. */
static int check_targets(struct from_reports *reports, struct from_query *query,
                         const struct from_target *targets, size_t n_targets, const struct address *client)
{
        char text[PREFIX_TEXT_SIZE];
        int r;

        for (size_t i = 0; i < n_targets; i++) {
                struct from_report *report = &reports->items[reports->n];

                if (targets[i].peer.family != client->family)
                        continue;

                query->device = find_link(query->links, 0, targets[i].interface);
                if (!query->device)
                        return ctl_print_error(-ENODEV, targets[i].interface);

                *report = (struct from_report) {
                        .interface = targets[i].interface,
                        .client = *client,
                        .peer = targets[i].peer,
                };
                reports->n++;
                r = check(report, query);
                if (r == -EADDRINUSE) {
                        warnx("%s is an address of this host, whose pings are tested without --from",
                              address_text(text, client));
                        return CTL_FAILED;
                }
                if (r < 0)
                        return ctl_print_error(r, "cannot ask the kernel for its routes");
        }

        if (reports->n == 0) {
                warnx("there is no %s address to ping", client->family == AF_INET ? "IPv4" : "IPv6");
                return CTL_FAILED;
        }

        return 0;
}

static int print(const struct from_reports *reports, bool json)
{
        int status = 0;

        if (!json)
                from_print(reports, stdout);
        else if (from_print_json(reports, stdout) < 0)
                return ctl_print_error(-ENOMEM, "cannot print");

        for (size_t i = 0; i < reports->n; i++)
                if (reports->items[i].stage)
                        status = CTL_WRONG;

        return status;
}

/**
 * ctl_ping_from() - find out whether pings that come from elsewhere would be answered
 * @targets: the addresses to ping; those of the other family than @client are ignored
 * @n_targets: how many there are
 * @client: the address that the pings come from
 * @json: print JSON
 *
 * Prints what the kernel answers, without sending anything. As root, the rules that can lose forwarded packets
 * are listed.
 *
 * Return: the exit status: 0 if nothing is wrong, CTL_WRONG, CTL_FAILED if it could not be found out, or
 *         EX_USAGE for a client that no route is for.
 */
int ctl_ping_from(const struct from_target *targets, size_t n_targets, const struct address *client, bool json)
{
        _cleanup_(free_reports) struct from_reports reports = { 0 };
        _cleanup_(netlink_closep) struct netlink *netlink = NULL;
        _cleanup_(link_list_free) struct link_list links = { 0 };
        struct from_query query = { .links = &links };
        char text[PREFIX_TEXT_SIZE];
        int r, status;

        if (!address_is_routable(client)) {
                warnx("--from: %s is no address that packets are routed to", address_text(text, client));
                return EX_USAGE;
        }

        r = netlink_open(&netlink);
        if (r >= 0)
                r = link_list_read(&links, netlink);
        if (r < 0)
                return ctl_print_error(r, "cannot ask the kernel for its interfaces");

        reports.items = calloc(n_targets + 1, sizeof(*reports.items));
        if (!reports.items)
                return ctl_print_error(-ENOMEM, "cannot check");

        query.netlink = netlink;
        status = check_targets(&reports, &query, targets, n_targets, client);
        if (status > 0)
                return status;

        reports.suspects_error = nft_suspects_read(client->family, FORWARD_HOOKS, NULL, &reports.suspects);
        status = print(&reports, json);
        r = ctl_close_output();
        return r > 0 ? r : status;
}
