/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The pings to one address: ten rounds of an idle window and a burst, with the counters between them. What
 * the kernel answers about the path is read before, and the device and its queue again after it.
 */

#include "client/ping-run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/drop-trace.h"
#include "client/ping-estimate.h"
#include "client/ping-facts.h"
#include "client/snapshot.h"
#include "common/util.h"
#include "net/link.h"
#include "net/netlink.h"

#define COUNT       100
#define ROUNDS_MAX  10
#define WINDOW_USEC UINT64_C(120000)  /* of an idle window, and of a burst */
#define WINDOW_MIN  UINT64_C(30000)   /* where the host is too busy for that */
#define ALL_USEC    UINT64_C(2800000) /* that all of them may take */
#define LAST_USEC   UINT64_C(40000)   /* of the last ping of a burst, until its reply */
#define LATE_USEC   UINT64_C(800000)  /* for replies that are late, if there are any */
#define LOST_USEC   UINT64_C(200000)  /* if there are none */
#define STEP_USEC   UINT64_C(10000)
#define STATUS_MSEC 400

struct run {
        struct ping_report *report;
        const struct ctl_options *options;
        const char *interface;
        struct netlink *netlink;
        struct ping_probe *probe;
        struct ping_request request;
        struct ping_facts facts;
        struct ping_kernel kernel;
        struct ping_sample samples[2 * ROUNDS_MAX + 1];
        struct ping_estimate estimate;
        unsigned n_samples;
        ping_progress_t progress;
};

/* Reads what the daemon has counted, or why it does not answer. */
static int read_status(const struct run *run, struct status *ret_status)
{
        char *const names[] = { (char *) run->interface };
        const struct instances_query query = {
                .directory = run->options->query.directory,
                .names = names,
                .n_names = 1,
                .timeout_msec = STATUS_MSEC,
        };
        _cleanup_(instances_free) struct instances instances = { 0 };
        int r;

        r = instances_read(&instances, &query);
        if (r >= 0)
                r = instances.snapshots[0].error;
        if (r < 0)
                return r;

        *ret_status = instances.snapshots[0].status;
        return 0;
}

/* A daemon that does not answer is not asked for its counters again. */
static void take_sample(struct run *run)
{
        struct ping_sample *sample = &run->samples[run->n_samples++];
        struct status status;

        ping_sample_read(sample, run->facts.family, run->interface);
        if (run->facts.status_error == 0)
                run->facts.status_error = read_status(run, &status);
        if (run->facts.status_error == 0)
                ping_sample_add_status(sample, &status);
}

/* The pings are sent in the first half of the window. */
static int send_burst(struct run *run, unsigned n, uint64_t window)
{
        uint64_t begin = monotonic_usec(), gap = window / 2 / n, end;
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++) {
                ping_probe_send(run->probe);
                r = ping_probe_receive(run->probe, begin + (i + 1) * gap);
        }

        end = monotonic_usec() + LAST_USEC;
        if (r >= 0)
                r = ping_probe_receive(run->probe, begin + window > end ? begin + window : end);
        return r;
}

/* Replies may be late where the host is busy. */
static int wait_for_late(struct run *run)
{
        uint64_t begin = monotonic_usec();
        int r = 0;

        while (r >= 0 && ping_probe_missing(run->probe) > 0) {
                uint64_t limit = ping_probe_result(run->probe)->received > 0 ? LATE_USEC : LOST_USEC;

                if (monotonic_usec() >= begin + limit)
                        break;
                r = ping_probe_receive(run->probe, monotonic_usec() + STEP_USEC);
        }

        return r;
}

/* The length of the next window, so that all end in time. */
static uint64_t find_window(uint64_t begin, unsigned n_left)
{
        uint64_t now = monotonic_usec(), left = begin + ALL_USEC > now ? begin + ALL_USEC - now : 0;
        uint64_t window = left / n_left;

        if (window > WINDOW_USEC)
                return WINDOW_USEC;

        return window > WINDOW_MIN ? window : WINDOW_MIN;
}

static int send_all(struct run *run)
{
        uint64_t begin = monotonic_usec(), window;
        unsigned count = run->options->count > 0 ? run->options->count : COUNT;
        unsigned n_rounds = count < ROUNDS_MAX ? count : ROUNDS_MAX;
        int r = 0;

        take_sample(run);
        for (unsigned i = 0; i < n_rounds && r >= 0; i++) {
                window = find_window(begin, 2 * (n_rounds - i));
                r = ping_probe_receive(run->probe, monotonic_usec() + window);
                take_sample(run);
                if (r >= 0)
                        r = send_burst(run, count * (i + 1) / n_rounds - count * i / n_rounds, window);
                take_sample(run);
                run->progress(run->report, ping_probe_result(run->probe), count);
        }
        if (r >= 0)
                r = wait_for_late(run);

        ping_estimate(&run->estimate, run->samples, n_rounds);
        run->report->result = *ping_probe_result(run->probe);
        return r;
}

/* Why the pings could not be sent, and what helps. */
static void set_error(struct ping_report *report, int error, const struct ping_request *request)
{
        report->error = error;
        if (error == -EACCES)
                report->error_advice = "net.ipv4.ping_group_range has no group of this user; as root: "
                                       "sysctl -w net.ipv4.ping_group_range='0 2147483647'";
        else if (error == -EPERM && request->mark > 0)
                report->error_advice = "only root may set a mark";
        else if (error == -EDESTADDRREQ && request->source.family != AF_UNSPEC)
                report->error_advice = "the instance has no address of that family to ping";
        else if (error == -EDESTADDRREQ)
                report->error_advice = "the instance has no address to ping";
}

/* Drops are of the pings only if the same queueing discipline was read before them, too. */
static void read_qdisc(struct run *run)
{
        const struct ping_kernel *kernel = &run->kernel;
        struct qdisc after;

        run->facts.qdisc = kernel->qdisc.kind;
        if (!run->facts.has_link || qdisc_get(run->netlink, kernel->link.index, &after) < 0)
                return;

        run->facts.qdisc_queued = after.queued;
        if (kernel->has_qdisc && strcmp(after.kind, kernel->qdisc.kind) == 0 &&
            after.drops >= kernel->qdisc.drops)
                run->facts.qdisc_drops = after.drops - kernel->qdisc.drops;
}

/* Sends the pings; an error of the socket is a fact, too. */
static int probe(struct run *run)
{
        struct drop_trace *trace = NULL;
        struct status status;
        int r;

        r = ping_probe_open(&run->probe, &run->request);
        run->facts.open_error = r;
        if (r < 0)
                return r == -EADDRNOTAVAIL ? 0 : r;

        /* Only root may; the pings do without. */
        (void) drop_trace_start(&trace, run->facts.family);
        r = send_all(run);
        if (trace)
                (void) drop_trace_stop(trace, &run->report->reasons);
        if (run->facts.status_error == -ETIMEDOUT)
                run->facts.status_error = read_status(run, &status);
        read_qdisc(run);
        return r;
}

/* The hooks at which the pings can be lost. */
static unsigned find_hooks(const struct run *run)
{
        static const unsigned out = NFT_HOOK_OUTPUT | NFT_HOOK_POSTROUTING,
                              in = NFT_HOOK_PREROUTING | NFT_HOOK_INPUT;
        const struct ping_decision *decision = &run->report->decision;
        const unsigned *passed = decision->passed;

        switch (decision->cause) {
        case PING_CAUSE_OUTPUT_FILTER:
        case PING_CAUSE_REWRITTEN:
                return out;
        case PING_CAUSE_EGRESS_FILTER:
                return NFT_HOOK_EGRESS;
        case PING_CAUSE_INGRESS_FILTER:
                return NFT_HOOK_INGRESS;
        case PING_CAUSE_INPUT_FILTER:
                /* Other traffic, or a kernel without the counter, can hide at which of them. */
                if (!run->estimate.known[PING_IN_DEVICE] || passed[PING_DEVICE_IN] < passed[PING_DAEMON])
                        return in | NFT_HOOK_INGRESS;
                return in;
        case PING_CAUSE_REPLY_REFUSED:
                return in;
        case PING_CAUSE_FRAGMENTS_LOST:
                return decision->stage == PING_DEVICE_OUT ? out | NFT_HOOK_EGRESS : in | NFT_HOOK_INGRESS;
        case PING_CAUSE_UNKNOWN:
                return out | in | NFT_HOOK_EGRESS | NFT_HOOK_INGRESS;
        default:
                return 0;
        }
}

/* Of all packets that the kernel dropped, those that can be the pings; other namespaces have theirs, too. */
static void keep_frequent(struct drop_reasons *reasons, unsigned loss)
{
        size_t n = 0;

        for (size_t i = 0; i < reasons->n; i++)
                if (loss > 0 && reasons->items[i].count * 10 >= loss * UINT64_C(3))
                        reasons->items[n++] = reasons->items[i];

        reasons->n = n;
}

static void read_suspects(const struct run *run)
{
        struct ping_report *report = run->report;
        unsigned hooks = find_hooks(run);
        bool lossy = report->decision.stage != PING_BEFORE;

        if (hooks != 0)
                (void) nft_suspects_read(run->facts.family, hooks, run->interface, &report->suspects);
        keep_frequent(&report->reasons, lossy ? report->result.attempts - report->result.received : 0);
}

static void write_texts(const struct run *run)
{
        const struct ping_decision *decision = &run->report->decision;
        bool of_reply = decision->stage == PING_IP_IN;
        char address[PREFIX_TEXT_SIZE], source[PREFIX_TEXT_SIZE] = "";
        struct cause_names names;
        struct ping_report *report = run->report;

        (void) address_text(address, &run->request.destination);
        if (run->kernel.source.family != AF_UNSPEC)
                (void) address_text(source, &run->kernel.source);
        else if (run->request.source.family != AF_UNSPEC)
                (void) address_text(source, &run->request.source);

        names = (struct cause_names) {
                .family = run->facts.family,
                .source = of_reply ? address : source,
                .destination = of_reply ? source : address,
                .device = run->interface,
                .in = of_reply ? run->interface : "",
                .out = run->kernel.out,
                .detail = decision->detail,
        };
        (void) ping_cause_text(report->text, sizeof(report->text), decision->cause, &names);
        (void) ping_cause_remedy(report->remedy, sizeof(report->remedy), decision->cause, &names);
}

/**
 * ping_run() - ping an address, and find out where the pings are lost
 * @report: the address and its interface; the other members are set, and suspects_free() frees the suspects
 * @options: the pings
 * @snapshot: the instance
 * @progress: called while the pings are sent
 *
 * Takes at most four seconds.
 */
void ping_run(struct ping_report *report, const struct ctl_options *options, const struct snapshot *snapshot,
              ping_progress_t progress)
{
        _cleanup_(netlink_closep) struct netlink *netlink = NULL;
        struct run run = {
                .report = report,
                .options = options,
                .interface = report->interface,
                .progress = progress,
                .request = {
                        .destination = report->address,
                        .source = options->ping.source,
                        .size = options->ping.size,
                        .mark = options->ping.mark,
                        .dont_fragment = options->ping.dont_fragment,
                },
                .facts = {
                        .family = report->address.family,
                        .is_running = snapshot_is_running(snapshot),
                        .status_error = snapshot->error,
                        .qdisc = "",
                },
        };
        int r;

        r = netlink_open(&netlink);
        if (r < 0)
                return set_error(report, r, &run.request);

        run.netlink = netlink;
        if (report->address.family == AF_UNSPEC && run.facts.is_running &&
            link_get(netlink, 0, run.interface, &run.kernel.link) >= 0)
                return set_error(report, -EDESTADDRREQ, &run.request);
        if (report->address.family != AF_UNSPEC)
                ping_facts_read(&run.facts, &run.kernel, netlink, run.interface, &run.request);
        run.request.scope = run.kernel.link.index;
        if (report->address.family != AF_UNSPEC && run.facts.is_running)
                r = probe(&run);
        (void) ping_probe_free(run.probe);
        if (r < 0)
                return set_error(report, r, &run.request);

        ping_decide(&report->decision, &run.facts, &report->result, &run.estimate);
        write_texts(&run);
        read_suspects(&run);
}
