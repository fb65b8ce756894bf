/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The reports of tunechoctl ping: for a person, for a program, and for a monitor. */

#include "client/ping-print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "client/json.h"
#include "client/ping-run.h"
#include "common/util.h"

/* A healthy report of a ping that was sent. */
static bool is_good(const struct ping_report *report)
{
        return report->error == 0 && report->decision.cause == PING_CAUSE_HEALTHY;
}

/* What passed the stage before all others was sent. */
static const char *passed_name(enum ping_stage stage)
{
        return stage == PING_BEFORE ? "sent" : ping_stage_name(stage);
}

static const char *report_cause(const struct ping_report *report)
{
        return report->error == 0 ? ping_cause_name(report->decision.cause) : "not tested";
}

static const char *report_address(char text[static PREFIX_TEXT_SIZE], const struct ping_report *report)
{
        text[0] = '\0';
        return report->address.family == AF_UNSPEC ? text : address_text(text, &report->address);
}

static void print_stages(const struct ping_report *report, FILE *file)
{
        fputs("  passed:  ", file);
        for (enum ping_stage stage = 0; stage < _PING_STAGE_MAX; stage++)
                fprintf(file, "%s%s %u", stage > 0 ? ", " : "", passed_name(stage),
                        report->decision.passed[stage]);
        (void) fputc('\n', file);
}

/**
 * ping_print() - print a report for a person
 * @report: the report
 * @file: where to
 */
void ping_print(const struct ping_report *report, FILE *file)
{
        const struct ping_decision *decision = &report->decision;
        const char *stage = ping_stage_name(decision->stage);
        char address[PREFIX_TEXT_SIZE];

        fprintf(file, "%s%s%s: %s", report->interface, report->address.family == AF_UNSPEC ? "" : " ",
                report_address(address, report), report_cause(report));
        if (report->error < 0)
                fprintf(file, ": %s%s%s", strerror(-report->error), report->error_advice ? "; " : "",
                        report->error_advice ? report->error_advice : "");
        if (report->result.attempts > 0)
                fprintf(file, ", %u of %u pings answered", report->result.received, report->result.attempts);
        if (report->result.received > 0)
                fprintf(file, ", median %.3f ms", (double) report->result.median_usec / 1000);
        (void) fputc('\n', file);
        if (report->error < 0 || is_good(report))
                return;

        fprintf(file, "  stage:   %s\n", stage ? stage : "unknown");
        if (report->result.attempts > 0)
                print_stages(report, file);
        fprintf(file, "  cause:   %s%s\n", report->text, decision->is_certain ? "" : " (likely)");
        fprintf(file, "  remedy:  %s\n", report->remedy);
        for (size_t i = 0; i < report->suspects.n; i++)
                fprintf(file, "  suspect: %s\n", report->suspects.texts[i]);
        for (size_t i = 0; i < report->reasons.n; i++)
                fprintf(file, "  kernel:  %s in %s, %" PRIu64 " packets\n", report->reasons.items[i].reason,
                        report->reasons.items[i].location[0] != '\0' ? report->reasons.items[i].location
                                                                     : "?",
                        report->reasons.items[i].count);
}

/**
 * ping_nagios_status() - get the exit status of a plugin of Nagios
 * @reports: the reports
 * @n: number of reports
 *
 * Return: 0: OK; 1: WARNING, some pings of an address are lost; 2: CRITICAL, none is answered as it should;
 *         3: UNKNOWN, an address could not be tested, or there is none.
 */
int ping_nagios_status(const struct ping_report *reports, size_t n)
{
        int status = n == 0 ? 3 : 0;

        for (size_t i = 0; i < n; i++) {
                const struct ping_report *report = &reports[i];

                if (report->error == 0 && !is_good(report) &&
                    (report->result.received == 0 || report->result.received == report->result.attempts))
                        return 2;
                if (report->error < 0)
                        status = status == 0 ? 3 : status;
                else if (!is_good(report))
                        status = 1;
        }

        return status;
}

/**
 * ping_print_nagios() - print a line with performance data, as the plugins of Nagios do
 * @reports: the reports
 * @n: number of reports
 * @file: where to
 */
void ping_print_nagios(const struct ping_report *reports, size_t n, FILE *file)
{
        static const char *const states[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
        char address[PREFIX_TEXT_SIZE];
        bool has_data = false;

        fprintf(file, "TUNECHO %s: ", states[ping_nagios_status(reports, n)]);
        for (size_t i = 0; i < n; i++)
                fprintf(file, "%s%s%s%s %s (%u/%u)", i > 0 ? ", " : "", reports[i].interface,
                        reports[i].address.family == AF_UNSPEC ? "" : " ",
                        report_address(address, &reports[i]), report_cause(&reports[i]),
                        reports[i].result.received, reports[i].result.attempts);

        if (n == 0)
                fputs("no instance is running", file);

        for (size_t i = 0; i < n; i++) {
                const struct ping_probe_result *result = &reports[i].result;

                if (result->attempts == 0)
                        continue;

                fprintf(file, "%s'%s %s pl'=%u%%;0;99;0;100", has_data ? " " : " | ", reports[i].interface,
                        report_address(address, &reports[i]),
                        100 - result->received * 100 / result->attempts);
                has_data = true;
                if (result->received > 0)
                        fprintf(file, " '%s %s rta'=%.3fms;;;0", reports[i].interface, address,
                                (double) result->median_usec / 1000);
        }
        (void) fputc('\n', file);
}

static bool add_stages(struct json_object *object, const struct ping_report *report)
{
        struct json_object *array = json_object_new_array();
        bool added = json_add(object, "stages", array);

        for (enum ping_stage stage = 0; added && stage < _PING_STAGE_MAX; stage++) {
                struct json_object *one = json_object_new_object();

                added = json_add(array, NULL, one) && json_add_text(one, "name", passed_name(stage)) &&
                        json_add(one, "packets", json_object_new_uint64(report->decision.passed[stage]));
        }

        return added;
}

static bool add_reasons(struct json_object *object, const struct ping_report *report)
{
        struct json_object *array = json_object_new_array();
        bool added = json_add(object, "reasons", array);

        for (size_t i = 0; added && i < report->reasons.n; i++) {
                const struct drop_reason *reason = &report->reasons.items[i];
                struct json_object *one = json_object_new_object();

                added = json_add(array, NULL, one) && json_add_text(one, "reason", reason->reason) &&
                        json_add_text(one, "location", reason->location) &&
                        json_add(one, "packets", json_object_new_uint64(reason->count));
        }

        return added;
}

static bool add_report(struct json_object *array, const struct ping_report *report)
{
        const struct ping_decision *decision = &report->decision;
        const struct ping_probe_result *result = &report->result;
        struct json_object *object = json_object_new_object();
        bool tested = report->error == 0;
        char address[PREFIX_TEXT_SIZE];

        if (!json_add(array, NULL, object))
                return false;

        (void) report_address(address, report);
        return json_add_text(object, "interface", report->interface) &&
               json_add_optional(object, "address", address[0] != '\0' ? address : NULL) &&
               json_add(object, "ok", json_object_new_boolean(is_good(report))) &&
               json_add(object, "sent", json_object_new_uint64(result->attempts)) &&
               json_add(object, "received", json_object_new_uint64(result->received)) &&
               (result->received > 0
                        ? json_add(object, "rtt_usec", json_object_new_uint64(result->median_usec))
                        : json_add_optional(object, "rtt_usec", NULL)) &&
               json_add_optional(object, "stage", tested ? ping_stage_name(decision->stage) : NULL) &&
               json_add_optional(object, "cause", tested ? report_cause(report) : NULL) &&
               json_add_text(object, "text", tested ? report->text : strerror(-report->error)) &&
               json_add_text(object, "remedy", tested ? report->remedy : report->error_advice) &&
               json_add(object, "certain", json_object_new_boolean(tested && decision->is_certain)) &&
               add_stages(object, report) &&
               json_add_texts(object, "suspects", (const char *const *) report->suspects.texts,
                              report->suspects.n) &&
               add_reasons(object, report);
}

/**
 * ping_print_json() - print reports as JSON
 * @reports: the reports
 * @n: number of reports
 * @file: where to
 *
 * Return: 0 or -ENOMEM.
 */
int ping_print_json(const struct ping_report *reports, size_t n, FILE *file)
{
        _cleanup_(json_putp) struct json_object *array = json_object_new_array();

        for (size_t i = 0; i < n; i++)
                if (!add_report(array, &reports[i]))
                        return -ENOMEM;

        return json_write(array, file);
}
