/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the answers about the pings of a client mean, as text and as JSON. Nothing here asks the kernel. */

#include "client/from.h"

#include <errno.h>
#include <string.h>

#include "client/json.h"
#include "common/util.h"

/* The first interface that matters: the likely one, else the first one that would take the requests. */
static const struct from_path *find_request(const struct from_report *report, bool *ret_any_taken)
{
        const struct from_path *likely = NULL, *taken = NULL;

        for (size_t i = 0; i < report->n_requests; i++) {
                if (report->requests[i].is_likely)
                        likely = &report->requests[i];
                if (!report->requests[i].cause && !taken)
                        taken = &report->requests[i];
        }

        *ret_any_taken = taken != NULL;
        if (likely || taken)
                return likely ? likely : taken;

        return report->n_requests > 0 ? &report->requests[0] : NULL;
}

static bool all_have_cause(const struct from_report *report, const char *cause)
{
        for (size_t i = 0; i < report->n_requests; i++)
                if (!report->requests[i].cause || strcmp(report->requests[i].cause, cause) != 0)
                        return false;

        return true;
}

/**
 * from_report_decide() - find the first stage that loses the pings
 * @report: the answers of the kernel; its stage, path and certainty are set
 *
 * On which interface the requests arrive is not known. So a cause there is certain only if no interface would
 * take them, and it is the same on all, or that of the likely one.
 */
void from_report_decide(struct from_report *report)
{
        const struct from_path *request;
        bool any_taken;

        report->certain = true;
        report->path = &report->hop;
        if (report->stage)
                return;

        request = find_request(report, &any_taken);
        if (request && request->cause) {
                report->stage = "request";
                report->path = request;
                report->certain = !any_taken && (request->is_likely || all_have_cause(report, request->cause));
        } else if (report->reply.cause) {
                report->stage = "reply";
                report->path = &report->reply;
        } else if (report->hop.cause) {
                report->stage = "next-hop";
                report->certain = false; /* the entry may be from before the fault was repaired */
        }
}

/**
 * from_list_unseen() - list what could not be checked
 * @ret_texts: set to the texts; NULL behind the last one
 * @reports: the reports
 */
void from_list_unseen(const char *ret_texts[static FROM_MAX_UNSEEN], const struct from_reports *reports)
{
        size_t n = 0;

        ret_texts[n++] = "other hosts on the path, and what the client itself does with the replies";
        ret_texts[n++] = "on which interface the requests arrive, and rules for a mark or a protocol";
        if (reports->suspects_error == -EPERM)
                ret_texts[n++] = "rules of nft, as only root can read them";
        else if (reports->suspects_error == -ENOENT)
                ret_texts[n++] = "rules of the packet filter, as nft is not installed";
        else if (reports->suspects_error < 0)
                ret_texts[n++] = "rules of nft, as they could not be read";
        else if (reports->suspects.n > 0)
                ret_texts[n++] = "whether one of the suspected rules matches these pings";
        ret_texts[n] = NULL;
}

static void print_request(const struct from_path *path, FILE *file)
{
        fprintf(file, "  request: on '%s'%s, ", path->in, path->is_likely ? " (likely)" : "");
        if (path->cause)
                fprintf(file, "%s: %s\n", path->cause, path->text);
        else
                fprintf(file, "taken, and routed into '%s'\n", path->out);
}

static void print_reply(const struct from_report *report, FILE *file)
{
        const char *neighbour = report->neighbour ? report->neighbour : "no neighbour entry";
        char hop[PREFIX_TEXT_SIZE];

        if (report->reply.cause)
                fprintf(file, "  reply:   %s: %s\n", report->reply.cause, report->reply.text);
        else
                fprintf(file, "  reply:   routed out of '%s', next hop %s (%s)\n", report->reply.out,
                        address_text(hop, &report->next_hop), neighbour);
}

static void print_report(const struct from_report *report, FILE *file)
{
        char client[PREFIX_TEXT_SIZE], peer[PREFIX_TEXT_SIZE];

        (void) address_text(client, &report->client);
        (void) address_text(peer, &report->peer);
        if (report->stage)
                fprintf(file,
                        "%s %s: %s, for pings from %s\n  stage:   %s\n  cause:   %s%s\n  remedy:  %s\n",
                        report->interface, peer, report->path->cause, client, report->stage, report->path->text,
                        report->certain ? "" : " (likely)", report->path->remedy);
        else
                fprintf(file, "%s %s: the kernel would pass on pings from %s\n", report->interface, peer,
                        client);

        for (size_t i = 0; i < report->n_requests; i++)
                print_request(&report->requests[i], file);
        if (report->reply.in[0] != '\0')
                print_reply(report, file);
}

/**
 * from_print() - print reports for a person
 * @reports: the reports
 * @file: where to
 */
void from_print(const struct from_reports *reports, FILE *file)
{
        const char *unseen[FROM_MAX_UNSEEN];

        for (size_t i = 0; i < reports->n; i++)
                print_report(&reports->items[i], file);
        for (size_t i = 0; i < reports->suspects.n; i++)
                fprintf(file, "  suspect: %s\n", reports->suspects.texts[i]);

        from_list_unseen(unseen, reports);
        for (size_t i = 0; unseen[i]; i++)
                fprintf(file, "  unseen:  %s\n", unseen[i]);
}

static bool add_bool(struct json_object *to, const char *key, bool value)
{
        return json_add(to, key, json_object_new_boolean(value));
}

static bool add_path(struct json_object *to, const char *direction, const struct from_path *path)
{
        struct json_object *object = json_object_new_object();

        return json_add(to, NULL, object) && json_add_text(object, "direction", direction) &&
               json_add_text(object, "interface", path->in) &&
               json_add_optional(object, "out", path->out[0] != '\0' ? path->out : NULL) &&
               add_bool(object, "ok", !path->cause) && json_add_optional(object, "cause", path->cause) &&
               json_add_text(object, "text", path->text) && json_add_text(object, "remedy", path->remedy) &&
               add_bool(object, "likely", path->is_likely);
}

static bool add_paths(struct json_object *to, const struct from_report *report)
{
        struct json_object *paths = json_object_new_array();
        bool added = json_add(to, "paths", paths);

        for (size_t i = 0; added && i < report->n_requests; i++)
                added = add_path(paths, "request", &report->requests[i]);
        if (added && report->reply.in[0] != '\0')
                added = add_path(paths, "reply", &report->reply);

        return added;
}

static bool add_verdict(struct json_object *object, const struct from_report *report)
{
        const struct from_path *path = report->path;

        return add_bool(object, "ok", !report->stage) && json_add_optional(object, "stage", report->stage) &&
               json_add_text(object, "cause", report->stage ? path->cause : "healthy") &&
               json_add_text(object, "text", report->stage ? path->text : "") &&
               json_add_text(object, "remedy", report->stage ? path->remedy : "") &&
               add_bool(object, "certain", report->certain);
}

static bool add_report(struct json_object *array, const struct from_report *report,
                       const struct from_reports *reports)
{
        struct json_object *object = json_object_new_object();
        char client[PREFIX_TEXT_SIZE], peer[PREFIX_TEXT_SIZE], hop[PREFIX_TEXT_SIZE] = "";
        const char *unseen[FROM_MAX_UNSEEN];
        size_t n_unseen = 0;

        if (report->next_hop.family != AF_UNSPEC)
                (void) address_text(hop, &report->next_hop);
        from_list_unseen(unseen, reports);
        while (unseen[n_unseen])
                n_unseen++;

        return json_add(array, NULL, object) && json_add_text(object, "interface", report->interface) &&
               json_add_text(object, "address", address_text(peer, &report->peer)) &&
               json_add_text(object, "from", address_text(client, &report->client)) &&
               add_verdict(object, report) && add_paths(object, report) &&
               json_add_optional(object, "next_hop", hop[0] != '\0' ? hop : NULL) &&
               json_add_optional(object, "neighbour", report->neighbour) &&
               json_add_texts(object, "suspects", (const char *const *) reports->suspects.texts,
                              reports->suspects.n) &&
               json_add_texts(object, "unseen", unseen, n_unseen);
}

/**
 * from_print_json() - print reports as JSON: an array of objects
 * @reports: the reports
 * @file: where to
 *
 * Return: 0 or -ENOMEM.
 */
int from_print_json(const struct from_reports *reports, FILE *file)
{
        _cleanup_(json_putp) struct json_object *array = json_object_new_array();

        for (size_t i = 0; i < reports->n; i++)
                if (!add_report(array, &reports->items[i], reports))
                        return -ENOMEM;

        return json_write(array, file);
}
