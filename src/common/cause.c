/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Why the kernel does not pass a packet on, from what it answers about the route of it. Nothing here asks the
 * kernel: the answers are passed in, and a row of the table has the name, the text and the remedy of a cause.
 */

#include "common/cause.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"

/* {source} and the like stand for the members of struct cause_names; {6} for "-6 " or nothing. */
static const struct {
        const char *name, *text, *remedy;
} rows[] = {
        [CAUSE_NONE] = { "none", "", "" },
        [CAUSE_ROUTED_ELSEWHERE] = { "routed-elsewhere",
                                     "{destination} is routed out of '{out}', not '{device}'",
                                     "ip {6}route replace {destination} dev {device}" },
        [CAUSE_ROUTED_BACK] = { "routed-back", "{destination} is routed into '{device}' itself",
                                "ip {6}route add {destination} via GATEWAY" },
        [CAUSE_OWN_ADDRESS] = { "own-address",
                                "{destination} is an address of this host, which answers itself",
                                "ip address show to {destination}" },
        [CAUSE_NO_SOURCE] = { "no-source", "{source} is no address of this host",
                              "ip address add {source} dev INTERFACE" },
        [CAUSE_NO_ROUTE] = { "no-route", "no route to {destination}, or a rule makes it unreachable",
                             "ip {6}route add {destination} dev {device}" },
        [CAUSE_NO_RETURN_ROUTE] = { "no-return-route",
                                    "no route to {destination}, or a rule makes it unreachable",
                                    "ip {6}route add {destination} via GATEWAY" },
        [CAUSE_BLACKHOLE] = { "blackhole", "the route to {destination} is a blackhole",
                              "ip {6}route show type blackhole; ip {6}rule" },
        [CAUSE_PROHIBIT] = { "prohibit", "a route or a rule prohibits packets to {destination}",
                             "ip {6}route show type prohibit; ip {6}rule" },
        [CAUSE_UNREACHABLE] = { "unreachable", "a route or a rule makes {destination} unreachable",
                                "ip {6}route show type unreachable; ip {6}rule" },
        [CAUSE_RP_FILTER] = { "rp-filter",
                              "rp_filter drops packets from {source} that arrive on '{in}', as the route to "
                              "{source} leads elsewhere",
                              "sysctl -w net/ipv4/conf/{in}/rp_filter=2" },
        [CAUSE_MARTIAN] = { "martian", "{source} is a martian source on '{in}'",
                            "ip {6}route get {destination} from {source} iif {in}" },
        [CAUSE_NOT_FORWARDING] = { "not-forwarding",
                                   "this host does not forward what arrives on '{in}'", NULL },
        [CAUSE_TOO_BIG] = { "too-big", "{detail} bytes are more than the MTU of '{device}'",
                            "ip link set dev {device} mtu {detail}" },
};

_Static_assert(ARRAY_SIZE(rows) == _CAUSE_MAX, "every cause needs a row");

/* EINVAL has several reasons. */
static enum cause find_invalid(const struct cause_answers *answers)
{
        if (answers->destination.error == -EINVAL)
                return CAUSE_BLACKHOLE;
        if (!answers->is_reply && !answers->is_forwarded)
                return CAUSE_NO_SOURCE;

        return answers->rp_filter ? CAUSE_RP_FILTER : CAUSE_MARTIAN;
}

static enum cause find_error(const struct cause_answers *answers)
{
        bool arrives = answers->is_reply || answers->is_forwarded;

        switch (answers->route.error) {
        case -EACCES:
                return CAUSE_PROHIBIT;
        case -EXDEV:
                return CAUSE_RP_FILTER;
        case -EINVAL:
                return find_invalid(answers);
        case -EHOSTUNREACH:
                return arrives && !answers->forwards ? CAUSE_NOT_FORWARDING : CAUSE_UNREACHABLE;
        default:
                return answers->is_reply ? CAUSE_NO_RETURN_ROUTE : CAUSE_NO_ROUTE;
        }
}

/**
 * cause_find() - find out why the kernel does not pass on the packets of a ping
 * @answers: the answers of the kernel
 *
 * Return: CAUSE_NONE if it delivers a reply to this host or forwards it, or routes a request into the device.
 */
enum cause cause_find(const struct cause_answers *answers)
{
        const struct route *route = &answers->route;

        if (answers->source_lost)
                return CAUSE_NO_SOURCE;
        if (route->error < 0)
                return find_error(answers);
        if (route->type == RTN_LOCAL)
                return answers->is_reply ? CAUSE_NONE : CAUSE_OWN_ADDRESS;
        if (answers->is_reply && route->oif == answers->device)
                return CAUSE_ROUTED_BACK;
        if (!answers->is_reply && route->oif != answers->device)
                return CAUSE_ROUTED_ELSEWHERE;
        if ((answers->is_reply || answers->is_forwarded) && !answers->forwards)
                return CAUSE_NOT_FORWARDING;
        if (!answers->is_reply && answers->size > answers->mtu)
                return CAUSE_TOO_BIG;

        return CAUSE_NONE;
}

/**
 * cause_name() - get the identifier of a cause
 * @cause: the cause
 */
const char *cause_name(enum cause cause)
{
        return rows[cause].name;
}

static const char *find_value(const char *name, size_t size, const struct cause_names *names)
{
        const struct {
                const char *name, *value;
        } values[] = {
                { "source", names->source },
                { "destination", names->destination },
                { "device", names->device },
                { "in", names->in },
                { "out", names->out },
                { "detail", names->detail },
                { "6", names->family == AF_INET6 ? "-6 " : "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
                if (strlen(values[i].name) == size && strncmp(values[i].name, name, size) == 0)
                        return values[i].value;

        return "";
}

/**
 * cause_expand() - write a template with the names filled in
 * @text: set to the result; what does not fit is cut off
 * @size: of @text in bytes
 * @template: text, in which {source} and the like stand for the members of @names
 * @names: what the template names
 *
 * Return: @text.
 */
const char *cause_expand(char *text, size_t size, const char *template, const struct cause_names *names)
{
        size_t used = 0;

        text[0] = '\0';
        while (*template != '\0' && used < size - 1) {
                size_t literal = strcspn(template, "{"), name;

                used += (size_t) snprintf(text + used, size - used, "%.*s", (int) literal, template);
                template += literal;
                if (*template == '\0' || used >= size - 1)
                        break;

                name = strcspn(template, "}");
                used += (size_t) snprintf(text + used, size - used, "%s",
                                          find_value(template + 1, name - 1, names));
                template += name + 1;
        }

        return text;
}

/**
 * cause_text() - describe a cause
 * @text: set to the description
 * @size: of @text in bytes
 * @cause: the cause
 * @names: what the description names
 *
 * Return: @text.
 */
const char *cause_text(char *text, size_t size, enum cause cause, const struct cause_names *names)
{
        return cause_expand(text, size, rows[cause].text, names);
}

/**
 * cause_remedy() - write the command that removes a cause, or shows what does
 * @text: set to the command
 * @size: of @text in bytes
 * @cause: the cause
 * @names: what the command names
 *
 * Return: @text.
 */
const char *cause_remedy(char *text, size_t size, enum cause cause, const struct cause_names *names)
{
        const char *template = rows[cause].remedy;

        if (cause == CAUSE_NOT_FORWARDING)
                template = names->family == AF_INET6 ? "sysctl -w net.ipv6.conf.all.forwarding=1"
                                                     : "sysctl -w net.ipv4.ip_forward=1";

        return cause_expand(text, size, template, names);
}
