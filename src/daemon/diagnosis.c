/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Asks the kernel about pings, without sending anything: whether it would still take the requests of a
 * client, and where it would send the replies. Requests from another host are assumed to arrive on the
 * interface that the replies leave by.
 *
 * When a session opens its requests do arrive. If the kernel would not take them by its answer, then the
 * question leaves out what matters, such as a mark or another interface, and no later answer to it counts.
 * So a fault of the requests is one that was not there when the session opened.
 */

#include "daemon/diagnosis.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cause.h"
#include "common/util.h"
#include "daemon/device.h"
#include "daemon/ratelimit.h"
#include "net/link.h"
#include "net/netlink.h"
#include "net/ping-route.h"
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

static struct ping_route route_of(const struct diagnosis *diagnosis, const struct ping *ping)
{
        return (struct ping_route) {
                .client = ping->source,
                .peer = ping->destination,
                .device = device_link(diagnosis->device)->index,
        };
}

static int ask_reply(struct diagnosis *diagnosis, const struct ping *ping, struct cause_answers *ret_answers)
{
        const struct ping_route route = route_of(diagnosis, ping);

        return ping_route_get_reply(diagnosis->netlink, &route, ret_answers);
}

static int ask_request(struct diagnosis *diagnosis, const struct ping *ping,
                       struct cause_answers *ret_answers)
{
        const struct ping_route route = route_of(diagnosis, ping);

        return ping_route_get_request(diagnosis->netlink, &route, ping->is_local ? 0 : ping->iif, ret_answers);
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
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE], size[16], text[256], remedy[256];
        struct link_info in = { 0 }, out = { 0 };
        struct journal_fields fields = { 0 };
        struct cause_names names;

        if (cause == CAUSE_NONE || (*reported & 1U << cause) != 0)
                return;

        *reported |= 1U << cause;
        (void) address_text(source, &ping->source);
        (void) address_text(destination, &ping->destination);
        (void) snprintf(size, sizeof(size), "%u", answers->size);
        names = (struct cause_names) {
                .family = ping->source.family,
                .source = answers->is_reply && cause != CAUSE_NO_SOURCE ? destination : source,
                .destination = answers->is_reply ? source : destination,
                .device = device->name,
                .in = answers->is_reply ? device->name : name_of(diagnosis, ping->iif, &in),
                .out = name_of(diagnosis, answers->route.oif, &out),
                .detail = size,
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

/* If the requests have stopped, the size is that of those without fragments, else 0. */
static void check_ping(struct diagnosis *diagnosis, struct ping *ping, bool opened, unsigned size)
{
        enum state state = device_find_state(diagnosis->device);
        struct cause_answers request, reply;

        /*
         * What is wrong with the device itself has an entry of its own. While the kernel adds an address, it routes
         * a reply to it into the device.
         */
        if ((state != STATE_RUNNING && state != STATE_NOT_ROUTED) || !device_is_settled(diagnosis->device) ||
            ask_reply(diagnosis, ping, &reply) < 0)
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

        if (ask_request(diagnosis, ping, &request) < 0)
                return;

        request.size = size;
        request.mtu = device_link(diagnosis->device)->mtu;
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
        unsigned size = event == DIAGNOSIS_IDLE && session->fragmented == 0 ? session->size_min : 0;

        if (event == DIAGNOSIS_ENDED) {
                if (ping)
                        *ping = (struct ping) { 0 };
                return;
        }
        if (!address_is_routable(&session->source) || !address_is_routable(&session->destination) ||
            !ratelimit_check(&diagnosis->limit, now))
                return;

        if (!ping)
                ping = add_ping(diagnosis, now, session);
        check_ping(diagnosis, ping, opened, size);
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
                        check_ping(diagnosis, ping, false, 0);
        }
}
