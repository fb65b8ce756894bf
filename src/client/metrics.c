/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tunechoctl metrics: the counters in the text format of Prometheus or as OpenMetrics 1.0.
 *
 * The formats differ in HELP and TYPE only: there, OpenMetrics omits the suffix of the samples, and has a
 * type for metrics that only carry labels. For Prometheus, the last line is a comment.
 */

#include "client/print.h"

#include <inttypes.h>
#include <string.h>

#include "client/ctl.h"
#include "client/serve.h"
#include "client/snapshot.h"
#include "common/util.h"
#include "tunecho/state.h"

enum type {
        TYPE_GAUGE,
        TYPE_COUNTER,
        TYPE_INFO,
};

static const struct {
        const char *suffix; /* of a sample's name */
        const char *prometheus;
        const char *openmetrics;
} types[] = {
        [TYPE_GAUGE] = { "", "gauge", "gauge" },
        [TYPE_COUNTER] = { "_total", "counter", "counter" },
        [TYPE_INFO] = { "_info", "gauge", "info" },
};

struct family {
        const char *name;
        enum type type;
        void (*print)(FILE *file, const struct family *family, const struct snapshot *snapshot);
        size_t offset; /* of a number within struct status */
        bool always;   /* also for an instance that does not answer */
        const char *help;
};

/* The name of a sample and its first label. */
static void begin_sample(FILE *file, const struct family *family, const struct snapshot *snapshot)
{
        fprintf(file, "%s%s{interface=\"%s\"", family->name, types[family->type].suffix,
                snapshot->status.interface);
}

/* A value may contain any printable character. */
static void print_label(FILE *file, const char *name, const char *value)
{
        fprintf(file, ",%s=\"", name);
        for (const char *c = value; *c != '\0'; c++)
                fprintf(file, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
        (void) fputc('"', file);
}

static void print_up(FILE *file, const struct family *family, const struct snapshot *snapshot)
{
        begin_sample(file, family, snapshot);
        fprintf(file, "} %d\n", snapshot->error == 0);
}

static void print_info(FILE *file, const struct family *family, const struct snapshot *snapshot)
{
        begin_sample(file, family, snapshot);
        print_label(file, "state", snapshot->status.state);
        print_label(file, "engine", snapshot->status.engine);
        print_label(file, "version", snapshot->status.version);
        fputs("} 1\n", file);
}

/* One sample for each state, so that a state that ends is 0 instead of stale. */
static void print_state(FILE *file, const struct family *family, const struct snapshot *snapshot)
{
        for (enum state state = 0; state < _STATE_MAX; state++) {
                begin_sample(file, family, snapshot);
                print_label(file, "state", state_name(state));
                fprintf(file, "} %d\n", strcmp(snapshot->status.state, state_name(state)) == 0);
        }
}

static void print_packets(FILE *file, const struct family *family, const struct snapshot *snapshot)
{
        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                begin_sample(file, family, snapshot);
                print_label(file, "verdict", verdict_name(v));
                fprintf(file, "} %" PRIu64 "\n", snapshot->status.counters.verdicts[v]);
        }
}

static void print_number(FILE *file, const struct family *family, const struct snapshot *snapshot)
{
        begin_sample(file, family, snapshot);
        fprintf(file, "} %" PRIu64 "\n", protocol_get_number(&snapshot->status, family->offset));
}

static void print_uptime(FILE *file, const struct family *family, const struct snapshot *snapshot)
{
        uint64_t usec = snapshot->status.uptime_usec;

        begin_sample(file, family, snapshot);
        fprintf(file, "} %" PRIu64 ".%06" PRIu64 "\n", usec / 1000000, usec % 1000000);
}

#define NUMBER(field) .print = print_number, .offset = offsetof(struct status, field)

/* Each has the label interface. */
static const struct family families[] = {
        { "tunecho_up", TYPE_GAUGE, .print = print_up, .always = true,
          .help = "Whether the instance has answered." },
        { "tunecho", TYPE_INFO, .print = print_info, .help = "State, engine and version of the instance." },
        { "tunecho_state", TYPE_GAUGE, .print = print_state,
          .help = "1 for the state that the instance is in, 0 for the others." },
        { "tunecho_packets", TYPE_COUNTER, .print = print_packets,
          .help = "Packets read, by verdict; all but reply and reply-fragment were dropped." },
        { "tunecho_unsent_replies", TYPE_COUNTER, NUMBER(counters.unsent),
          .help = "Replies that the device refused." },
        { "tunecho_refused_replies", TYPE_COUNTER, NUMBER(refused),
          .help = "ICMP errors about replies, which a router or the receiving host refused." },
        { "tunecho_sessions", TYPE_GAUGE, NUMBER(sessions),
          .help = "Open ping sessions: with a request within the last ten seconds." },
        { "tunecho_opened_sessions", TYPE_COUNTER, NUMBER(sessions_opened),
          .help = "Ping sessions that were opened." },
        { "tunecho_evicted_sessions", TYPE_COUNTER, NUMBER(sessions_evicted),
          .help = "Open ping sessions that another one replaced, as there is a limit." },
        { "tunecho_mtu_bytes", TYPE_GAUGE, NUMBER(mtu), .help = "MTU of the device, in bytes." },
        { "tunecho_uptime_seconds", TYPE_GAUGE, .print = print_uptime,
          .help = "Time since the instance was ready." },
};

static void print_family(FILE *file, const struct family *family, const struct instances *instances,
                         bool openmetrics)
{
        const char *suffix = openmetrics ? "" : types[family->type].suffix;
        const char *type = openmetrics ? types[family->type].openmetrics : types[family->type].prometheus;

        fprintf(file, "# HELP %s%s %s\n", family->name, suffix, family->help);
        fprintf(file, "# TYPE %s%s %s\n", family->name, suffix, type);
        for (size_t i = 0; i < instances->n; i++)
                if (instances->snapshots[i].error == 0 || family->always)
                        family->print(file, family, &instances->snapshots[i]);
}

/**
 * metrics_print() - print instances as metrics
 * @instances: the instances
 * @openmetrics: strict OpenMetrics 1.0 instead of the text format
 * @file: where to
 */
void metrics_print(const struct instances *instances, bool openmetrics, FILE *file)
{
        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                print_family(file, &families[i], instances, openmetrics);

        fputs("# EOF\n", file);
}

/**
 * ctl_metrics() - print the counters of instances for Prometheus, or answer an HTTP request for them
 * @options: which instances, and in which format
 *
 * Return: 0, whether an instance is running or not, or CTL_FAILED.
 */
int ctl_metrics(const struct ctl_options *options)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        int r;

        if (options->http)
                return serve_metrics(options);

        r = instances_read(&instances, &options->query);
        if (r < 0)
                return ctl_print_error(r, options->query.directory);

        metrics_print(&instances, options->openmetrics, stdout);
        return ctl_close_output();
}
