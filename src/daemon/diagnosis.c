/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Asks the kernel about pings, without sending anything: whether it would still take the requests of a
 * client, and where it would send the replies.
 *
 *     request, from another host: CLIENT > PEER on the interface that the replies leave by
 *     request, from this host:    CLIENT > PEER, sent here
 *     reply:                      PEER > CLIENT on the device
 *
 * When a session opens its requests do arrive. If the kernel would not take them by its answer, then the
 * question leaves out what matters, such as a mark or another interface, and no later answer to it counts.
 * So a fault of the requests is one that was not there when the session opened.
 */

#include "daemon/diagnosis.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "common/cause.h"
#include "common/util.h"
#include "daemon/device.h"
#include "daemon/ratelimit.h"
#include "net/link.h"
#include "net/netconf.h"
#include "net/netlink.h"
#include "net/route.h"
#include "packet/session.h"

#define SECOND_USEC UINT64_C(1000000)

/* Pings that are known; beyond, the one that opened first is forgotten. */
#define PINGS_MAX 64

struct ping {
        struct address source, destination;
        uint16_t identifier;
        uint64_t opened;         /* in microseconds; 0: not used */
        bool is_local;           /* the client was this host when the session opened */
        unsigned iif;            /* the interface that led to the client then; 0: none */
        bool is_taken;           /* the kernel would have taken the requests then */
        bool is_idle;            /* no request arrives: not asked about again */
        uint32_t request_causes; /* that were reported, a bit for each */
        uint32_t reply_causes;
};

struct diagnosis {
        struct device *device;
        const struct journal *journal;
        struct netlink *netlink;
        struct ratelimit limit;
        struct ping pings[PINGS_MAX];
};

/**
 * diagnosis_new() - set up the questions about pings
 * @ret_diagnosis: set to the diagnosis, which diagnosis_free() frees
 * @device: the device; must outlive the diagnosis
 * @journal: where to report; must outlive the diagnosis
 *
 * Return: 0, -ENOMEM, or a negative errno of socket(2).
 */
int diagnosis_new(struct diagnosis **ret_diagnosis, struct device *device, const struct journal *journal)
{
        struct diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));
        int r;

        if (!diagnosis)
                return -ENOMEM;

        diagnosis->device = device;
        diagnosis->journal = journal;
        diagnosis->limit = (struct ratelimit) { .interval = SECOND_USEC, .burst = 10 };
        r = netlink_open(&diagnosis->netlink);
        if (r < 0) {
                diagnosis_free(diagnosis);
                return r;
        }

        *ret_diagnosis = diagnosis;
        return 0;
}

/**
 * diagnosis_free() - free the diagnosis
 * @diagnosis: the diagnosis, or NULL
 *
 * Return: NULL.
 */
struct diagnosis *diagnosis_free(struct diagnosis *diagnosis)
{
        if (diagnosis)
                netlink_close(diagnosis->netlink);
        free(diagnosis);
        return NULL;
}

/* Routes of groups and of link-local addresses depend on more than the address. */
static bool is_routable(const struct address *address)
{
        if (!address_is_unicast(address))
                return false;

        return address->family != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&address->ipv6);
}

static struct ping *find_ping(struct diagnosis *diagnosis, const struct session *session)
{
        for (size_t i = 0; i < ARRAY_SIZE(diagnosis->pings); i++) {
                struct ping *ping = &diagnosis->pings[i];

                if (ping->opened > 0 && ping->identifier == session->identifier &&
                    address_equal(&ping->source, &session->source) &&
                    address_equal(&ping->destination, &session->destination))
                        return ping;
        }

        return NULL;
}

static struct ping *add_ping(struct diagnosis *diagnosis, uint64_t now, const struct session *session)
{
        struct ping *oldest = &diagnosis->pings[0];

        for (size_t i = 1; i < ARRAY_SIZE(diagnosis->pings); i++)
                if (diagnosis->pings[i].opened < oldest->opened)
                        oldest = &diagnosis->pings[i];

        *oldest = (struct ping) {
                .source = session->source,
                .destination = session->destination,
                .identifier = session->identifier,
                .opened = now,
        };
        return oldest;
}

/* Asks what belongs to every question: the route of the destination alone, and settings of the interface. */
static int ask_rest(struct diagnosis *diagnosis, const struct address *destination, unsigned iif,
                    struct cause_answers *answers)
{
        const struct route_query query = { .destination = *destination };
        struct netconf netconf = { .forwards = true };
        int r;

        r = route_get(diagnosis->netlink, &query, &answers->destination);
        if (r >= 0 && iif > 0)
                r = netconf_get(diagnosis->netlink, destination->family, iif, &netconf);

        answers->device = device_link(diagnosis->device)->index;
        answers->forwards = netconf.forwards;
        answers->rp_filter = netconf.rp_filter;
        return r;
}

static int ask_reply(struct diagnosis *diagnosis, const struct ping *ping, struct cause_answers *ret_answers)
{
        unsigned device = device_link(diagnosis->device)->index;
        const struct route_query query = {
                .destination = ping->source,
                .source = ping->destination,
                .iif = device,
        };
        struct cause_answers answers = { .is_reply = true };
        int r;

        r = route_get(diagnosis->netlink, &query, &answers.route);
        if (r >= 0)
                r = ask_rest(diagnosis, &query.destination, device, &answers);
        if (r < 0)
                return r;

        *ret_answers = answers;
        return 0;
}

/* A rule may mean some users and not others. Whose ping it is is unknown, so the better answer counts. */
static int ask_sent_request(struct diagnosis *diagnosis, const struct ping *ping, struct route *ret_route)
{
        static const uid_t root = 0;
        struct route_query query = { .destination = ping->destination, .source = ping->source, .uid = &root };
        struct route route = { 0 };
        int r;

        r = route_get(diagnosis->netlink, &query, ret_route);
        if (r >= 0 && ret_route->error == 0 && ret_route->oif == device_link(diagnosis->device)->index)
                return 0;

        query.uid = NULL;
        if (route_get(diagnosis->netlink, &query, &route) >= 0 && (r < 0 || route.error == 0)) {
                *ret_route = route;
                return 0;
        }

        return r;
}

static int ask_request(struct diagnosis *diagnosis, const struct ping *ping,
                       struct cause_answers *ret_answers)
{
        const struct route_query query = {
                .destination = ping->destination,
                .source = ping->source,
                .iif = ping->iif,
        };
        struct cause_answers answers = { .is_forwarded = !ping->is_local };
        int r;

        if (ping->is_local)
                r = ask_sent_request(diagnosis, ping, &answers.route);
        else
                r = route_get(diagnosis->netlink, &query, &answers.route);
        if (r >= 0)
                r = ask_rest(diagnosis, &query.destination, ping->iif, &answers);
        if (r < 0)
                return r;

        *ret_answers = answers;
        return 0;
}

static const char *name_of(struct diagnosis *diagnosis, unsigned index, struct link_info *link)
{
        if (index == 0 || link_get(diagnosis->netlink, index, NULL, link) < 0)
                link->name[0] = '\0';

        return link->name;
}

/* Reports the cause if it is one, and new for this ping. */
static void report(struct diagnosis *diagnosis, struct ping *ping, const struct cause_answers *answers)
{
        uint32_t *reported = answers->is_reply ? &ping->reply_causes : &ping->request_causes;
        const struct link_info *device = device_link(diagnosis->device);
        enum cause cause = cause_find(answers);
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE], text[256], remedy[256];
        struct link_info in = { 0 }, out = { 0 };
        struct journal_fields fields = { 0 };
        struct cause_names names;

        if (cause == CAUSE_NONE || (*reported & 1U << cause) != 0)
                return;

        *reported |= 1U << cause;
        (void) address_text(source, &ping->source);
        (void) address_text(destination, &ping->destination);
        names = (struct cause_names) {
                .family = ping->source.family,
                .source = answers->is_reply && cause != CAUSE_NO_SOURCE ? destination : source,
                .destination = answers->is_reply ? source : destination,
                .device = device->name,
                .in = answers->is_reply ? device->name : name_of(diagnosis, ping->iif, &in),
                .out = name_of(diagnosis, answers->route.oif, &out),
        };

        journal_add(&fields, "TUNECHO_SOURCE=%s", source);
        journal_add(&fields, "TUNECHO_DESTINATION=%s", destination);
        journal_add(&fields, "TUNECHO_IDENTIFIER=%u", ping->identifier);
        journal_add(&fields, "TUNECHO_DIRECTION=%s", answers->is_reply ? "reply" : "request");
        journal_add(&fields, "TUNECHO_CAUSE=%s", cause_name(cause));
        journal_add(&fields, "TUNECHO_REMEDY=%s", cause_remedy(remedy, sizeof(remedy), cause, &names));
        journal_send(diagnosis->journal, MESSAGE_DIAGNOSIS, &fields, 0, "ping %s > %s id %u, %s: %s; try: %s",
                     source, destination, ping->identifier, answers->is_reply ? "replies" : "requests",
                     cause_text(text, sizeof(text), cause, &names), remedy);
}

/* Its requests arrive: notes from where, and whether the kernel says so. */
static void note_opened(struct diagnosis *diagnosis, struct ping *ping, const struct cause_answers *reply)
{
        struct cause_answers request;

        ping->is_idle = false;
        ping->is_local = reply->route.error == 0 && reply->route.type == RTN_LOCAL;
        ping->iif = ping->is_local || reply->route.error < 0 ? 0 : reply->route.oif;
        ping->is_taken = (ping->is_local || ping->iif > 0) && ask_request(diagnosis, ping, &request) >= 0 &&
                         cause_find(&request) == CAUSE_NONE;
}

static void check_ping(struct diagnosis *diagnosis, struct ping *ping, bool opened)
{
        enum state state = device_find_state(diagnosis->device);
        struct cause_answers request, reply;

        /* What is wrong with the device itself has an entry of its own. */
        if ((state != STATE_RUNNING && state != STATE_NOT_ROUTED) || ask_reply(diagnosis, ping, &reply) < 0)
                return;

        if (opened)
                note_opened(diagnosis, ping, &reply);

        /*
         * The address of the client was deleted: its packets are not what its route says of them. Where
         * requests arrive although this host does not forward, the client was this host.
         */
        reply.source_lost = ping->is_local && reply.route.type != RTN_LOCAL;
        if (cause_find(&reply) != CAUSE_NOT_FORWARDING || (ping->iif > 0 && ping->is_taken))
                report(diagnosis, ping, &reply);
        if (opened || !ping->is_taken || reply.source_lost || state != STATE_RUNNING)
                return;

        if (ask_request(diagnosis, ping, &request) >= 0)
                report(diagnosis, ping, &request);
}

/**
 * diagnosis_check() - ask the kernel about a ping, and report what is wrong
 * @diagnosis: the diagnosis
 * @now: the time of CLOCK_MONOTONIC in microseconds
 * @event: why
 * @session: the ping
 *
 * A cause is reported once for each ping. There is a limit for the questions: beyond it nothing is asked.
 */
void diagnosis_check(struct diagnosis *diagnosis, uint64_t now, enum diagnosis_event event,
                     const struct session *session)
{
        struct ping *ping = find_ping(diagnosis, session);
        bool opened = event == DIAGNOSIS_OPENED;

        if (event == DIAGNOSIS_ENDED) {
                if (ping)
                        *ping = (struct ping) { 0 };
                return;
        }
        if (!is_routable(&session->source) || !is_routable(&session->destination) ||
            !ratelimit_check(&diagnosis->limit, now))
                return;

        if (!ping)
                ping = add_ping(diagnosis, now, session);
        check_ping(diagnosis, ping, opened);
        ping->is_idle = event == DIAGNOSIS_IDLE;
}

/**
 * diagnosis_check_all() - ask the kernel about all pings again, as it may route otherwise now
 * @diagnosis: the diagnosis
 * @now: the time of CLOCK_MONOTONIC in microseconds
 */
void diagnosis_check_all(struct diagnosis *diagnosis, uint64_t now)
{
        for (size_t i = 0; i < ARRAY_SIZE(diagnosis->pings); i++) {
                struct ping *ping = &diagnosis->pings[i];

                if (ping->opened > 0 && !ping->is_idle && ratelimit_check(&diagnosis->limit, now))
                        check_ping(diagnosis, ping, false);
        }
}
