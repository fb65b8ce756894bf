/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tunechoctl ping: ping the peers of instances, and name the piece that loses the pings. The addresses are
 * those that an instance reports. One that does not answer has those of the device.
 */

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/from.h"
#include "client/ping-print.h"
#include "client/ping-run.h"
#include "client/snapshot.h"
#include "common/util.h"
#include "net/address.h"
#include "net/link.h"
#include "net/netlink.h"

#define ADDRESSES_MAX 8
#define STATUS_MSEC   500 /* that an instance has for its answer; a ping takes seconds */

struct reports {
        struct ping_report *items;
        size_t n;
};

static void reports_free(struct reports *reports)
{
        for (size_t i = 0; i < reports->n; i++)
                suspects_free(&reports->items[i].suspects);
        free(reports->items);
        *reports = (struct reports) { 0 };
}

static struct ping_report *add_report(struct reports *reports, const char *interface,
                                      const struct address *address)
{
        struct ping_report *items = reallocarray(reports->items, reports->n + 1, sizeof(*items));

        if (!items)
                return NULL;

        reports->items = items;
        items[reports->n] = (struct ping_report) { .interface = interface, .address = *address };
        return &items[reports->n++];
}

/* On a terminal, a line that is written again and again, and erased at the end. */
static void print_progress(const struct ping_report *report, const struct ping_probe_result *result,
                           unsigned count)
{
        char address[PREFIX_TEXT_SIZE];

        if (!isatty(STDERR_FILENO))
                return;

        fprintf(stderr, "\r%s %s: %u of %u pings sent, %u answered", report->interface,
                address_text(address, &report->address), result->attempts, count, result->received);
        if (result->attempts == count)
                fputs("\r\033[K", stderr);
        (void) fflush(stderr);
}

/* The addresses to ping of an instance that does not report them: the peers of the device's addresses. */
static size_t find_peers(const char *interface, struct address *ret_peers, size_t max)
{
        _cleanup_(netlink_closep) struct netlink *netlink = NULL;
        struct link_address_info addresses[ADDRESSES_MAX];
        struct link_info link;
        size_t n_peers = 0;
        int n;

        if (netlink_open(&netlink) < 0 || link_get(netlink, 0, interface, &link) < 0)
                return 0;

        n = link_addresses_get(netlink, link.index, addresses, ARRAY_SIZE(addresses));
        for (int i = 0; i < n && n_peers < max; i++)
                if (!address_equal(&addresses[i].address.local, &addresses[i].address.remote))
                        ret_peers[n_peers++] = addresses[i].address.remote;

        return n_peers;
}

static size_t find_addresses(const struct ctl_options *options, const struct snapshot *snapshot,
                             struct address ret_addresses[static ADDRESSES_MAX])
{
        size_t n = 0;

        if (options->ping.address)
                return address_parse(&ret_addresses[0], options->ping.address) < 0 ? 0 : 1;
        if (snapshot->error < 0)
                return find_peers(snapshot->status.interface, ret_addresses, ADDRESSES_MAX);

        for (size_t i = 0; i < STATUS_MAX_PINGS && snapshot->status.ping[i][0] != '\0'; i++)
                if (address_parse(&ret_addresses[n], snapshot->status.ping[i]) >= 0)
                        n++;

        return n;
}

static int ping_address(struct reports *reports, const struct ctl_options *options,
                        const struct snapshot *snapshot, const struct address *address)
{
        struct ping_report *report = add_report(reports, snapshot->status.interface, address);

        if (!report)
                return -ENOMEM;

        ping_run(report, options, snapshot, print_progress);
        if (!options->json && !options->ping.nagios) {
                ping_print(report, stdout);
                (void) fflush(stdout);
        }
        return 0;
}

static int ping_instance(struct reports *reports, const struct ctl_options *options,
                         const struct snapshot *snapshot)
{
        int family = options->ping.source.family;
        struct address addresses[ADDRESSES_MAX];
        bool pinged = false;
        size_t n;
        int r;

        n = snapshot_is_running(snapshot) ? find_addresses(options, snapshot, addresses) : 0;
        for (size_t i = 0; i < n; i++) {
                if (family != AF_UNSPEC && addresses[i].family != family)
                        continue;

                r = ping_address(reports, options, snapshot, &addresses[i]);
                if (r < 0)
                        return r;
                pinged = true;
        }

        /* Without an address, the report says why. */
        return pinged ? 0 : ping_address(reports, options, snapshot, &(struct address) { 0 });
}

static int print_reports(const struct reports *reports, const struct ctl_options *options)
{
        if (options->json)
                return ping_print_json(reports->items, reports->n, stdout);
        if (options->ping.nagios)
                ping_print_nagios(reports->items, reports->n, stdout);

        return 0;
}

/* What is broken outweighs what could not be tested. */
static int find_status(const struct reports *reports)
{
        int status = 0;

        for (size_t i = 0; i < reports->n; i++) {
                if (reports->items[i].error == 0 && reports->items[i].decision.cause != PING_CAUSE_HEALTHY)
                        return CTL_WRONG;
                if (reports->items[i].error < 0)
                        status = CTL_FAILED;
        }

        return status;
}

/* The pings of another host: nothing is sent, and the addresses of all instances are checked together. */
static int check_from(const struct ctl_options *options, const struct instances *instances)
{
        struct from_target *targets = calloc(instances->n * ADDRESSES_MAX + 1, sizeof(*targets));
        size_t n_targets = 0;
        int status;

        if (!targets)
                return ctl_print_error(-ENOMEM, "cannot check");

        for (size_t i = 0; i < instances->n; i++) {
                const struct snapshot *snapshot = &instances->snapshots[i];
                struct address addresses[ADDRESSES_MAX];
                size_t n = find_addresses(options, snapshot, addresses);

                for (size_t j = 0; j < n; j++)
                        targets[n_targets++] = (struct from_target) { .interface = snapshot->status.interface,
                                                                      .peer = addresses[j] };
        }

        status = ctl_ping_from(targets, n_targets, &options->ping.from, options->json);
        free(targets);
        return status;
}

/**
 * ctl_ping() - ping the addresses of instances, and print which piece loses the pings
 * @options: which instances or which address, the pings, and the form of the output
 *
 * Return: 0 if all pings were answered by the instances; CTL_WRONG if some were not, or there is no instance;
 *         CTL_FAILED if something could not be tested; with --nagios, the exit status of a plugin of Nagios.
 */
int ctl_ping(const struct ctl_options *options)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        _cleanup_(reports_free) struct reports reports = { 0 };
        struct instances_query query = options->query;
        int r, status;

        query.timeout_msec = STATUS_MSEC;
        r = instances_read(&instances, &query);
        if (r < 0)
                return ctl_print_error(r, options->query.directory);

        if (options->ping.from.family != AF_UNSPEC)
                return check_from(options, &instances);

        for (size_t i = 0; i < instances.n; i++) {
                r = ping_instance(&reports, options, &instances.snapshots[i]);
                if (r < 0)
                        return ctl_print_error(r, "cannot ping");
        }
        if (instances.n == 0 && !options->ping.nagios)
                warnx("no instance is running; to start one: systemctl start tunecho@tun0");

        r = print_reports(&reports, options);
        if (r < 0)
                return ctl_print_error(r, "cannot print");

        status = options->ping.nagios ? ping_nagios_status(reports.items, reports.n) : find_status(&reports);
        r = ctl_close_output();
        if (r > 0)
                return r;

        return instances.n == 0 && !options->ping.nagios ? CTL_WRONG : status;
}
