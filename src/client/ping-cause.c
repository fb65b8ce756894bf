/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The causes of tunechoctl ping: a row has the identifier, the text and the remedy of one. */

#include "client/ping-cause.h"

#include "common/util.h"

/* As in common/cause.c; the detail of a cause is what ping_decide() says. */
static const struct {
        const char *name, *text, *remedy;
} rows[] = {
        [PING_CAUSE_HEALTHY] = { "healthy", "every ping was answered", "" },
        [PING_CAUSE_NOT_RUNNING] = { "not-running", "no instance runs for '{device}'",
                                     "systemctl start tunecho@{device}" },
        [PING_CAUSE_DEVICE_MISSING] = { "device-missing",
                                        "the instance runs, but '{device}' is not in this network namespace",
                                        "systemctl stop tunecho@{device}; systemctl start tunecho@{device}" },
        [PING_CAUSE_DEVICE_RENAMED] = { "device-renamed",
                                        "the device of the instance is named '{out}' now, not '{device}'",
                                        "ip link set dev {out} name {device}" },
        [PING_CAUSE_DEVICE_DOWN] = { "device-down", "'{device}' is down", "ip link set dev {device} up" },
        [PING_CAUSE_NO_ADDRESS] = { "no-address", "'{device}' has no {detail} address",
                                    "systemctl reload tunecho@{device}" },
        [PING_CAUSE_IPV6_OFF] = { "ipv6-off", "IPv6 is switched off on '{device}'",
                                  "sysctl -w net/ipv6/conf/{device}/disable_ipv6=0; systemctl reload "
                                  "tunecho@{device}" },
        [PING_CAUSE_OUTPUT_FILTER] = { "output-filter",
                                       "a filter of this host drops the requests that it sends",
                                       "nft -a list ruleset" },
        [PING_CAUSE_IPSEC] = { "ipsec", "an IPsec policy of this host drops the {detail}", "ip xfrm policy" },
        [PING_CAUSE_TOO_BIG] = { "too-big",
                                 "the requests are larger than the {detail} bytes that the path takes, and "
                                 "must not "
                                 "be fragmented",
                                 "ip link show dev {device}; ip {6}route get {destination}" },
        [PING_CAUSE_REQUEST_REFUSED] = { "request-refused", "the requests are refused: {detail}",
                                         "ip {6}route get {destination}" },
        [PING_CAUSE_REWRITTEN] = { "rewritten",
                                   "the requests leave by another interface than '{device}': NAT, or a mark "
                                   "on output",
                                   "nft -a list ruleset" },
        [PING_CAUSE_EGRESS_FILTER] = { "egress-filter", "a filter of '{device}' drops the requests",
                                       "tc filter show dev {device} egress; nft -a list ruleset" },
        [PING_CAUSE_QDISC] = { "qdisc",
                               "the queueing discipline '{detail}' of '{device}' drops or holds the requests",
                               "tc -s qdisc show dev {device}" },
        [PING_CAUSE_QUEUE_FULL] = { "queue-full",
                                    "the queue of '{device}' overflows: the requests arrive faster than they "
                                    "are read",
                                    "ip link set dev {device} txqueuelen 5000" },
        [PING_CAUSE_NOT_READING] = { "not-reading", "the instance does not read from '{device}'",
                                     "systemctl restart tunecho@{device}" },
        [PING_CAUSE_DROPPED] = { "dropped", "the instance drops the requests, as {detail}",
                                 "journalctl -x -u tunecho@{device}" },
        [PING_CAUSE_CORRUPT_REQUESTS] = { "corrupt-requests",
                                          "the requests are corrupt when they arrive at '{device}': {detail}",
                                          "nft -a list ruleset; tc filter show dev {device} egress" },
        [PING_CAUSE_NOT_OURS] = { "not-ours", "Destination= of '{device}' does not contain {destination}",
                                  "tunecho --check {device}" },
        [PING_CAUSE_UNSENT] = { "unsent", "'{device}' refuses the replies", "ip -s link show dev {device}" },
        [PING_CAUSE_INGRESS_FILTER] = { "ingress-filter", "a filter of '{device}' drops the replies",
                                        "tc filter show dev {device} ingress; nft -a list ruleset" },
        [PING_CAUSE_NOT_LOCAL] = { "not-local", "the replies arrive for an address that is none of this host",
                                   "ip address; nft -a list ruleset" },
        [PING_CAUSE_BAD_HEADER] = { "bad-header", "the replies have an invalid IP header when they arrive",
                                    "nft -a list ruleset; tc filter show dev {device} ingress" },
        [PING_CAUSE_FRAGMENTS_LOST] = { "fragments-lost", "some fragments of the {detail} are dropped",
                                        "nft -a list ruleset" },
        [PING_CAUSE_INPUT_FILTER] = { "input-filter",
                                      "a filter of this host drops the replies that it receives",
                                      "nft -a list ruleset" },
        [PING_CAUSE_CORRUPT_REPLIES] = { "corrupt-replies", "the replies are corrupt when they arrive",
                                         "nft -a list ruleset; tc filter show dev {device} ingress" },
        [PING_CAUSE_REPLY_REFUSED] = { "reply-refused", "this host answers the replies with ICMP errors",
                                       "nft -a list ruleset" },
        [PING_CAUSE_SOCKET_OVERFLOW] = { "socket-overflow", "the buffer of the socket that pings overflows",
                                         "sysctl -w net.core.rmem_max=4194304" },
        [PING_CAUSE_UNKNOWN] = { "unknown", "no counter explains the loss",
                                 "tcpdump -n -i {device} icmp or icmp6" },
};

_Static_assert(ARRAY_SIZE(rows) == _PING_CAUSE_MAX, "every cause needs a row");

/**
 * ping_cause_name() - get the identifier of a cause
 * @cause: an enum cause or an enum ping_cause
 */
const char *ping_cause_name(unsigned cause)
{
        return cause < _CAUSE_MAX ? cause_name((enum cause) cause) : rows[cause].name;
}

/**
 * ping_cause_text() - describe a cause
 * @text: set to the description
 * @size: of @text in bytes
 * @cause: an enum cause or an enum ping_cause
 * @names: what the description names
 *
 * Return: @text.
 */
const char *ping_cause_text(char *text, size_t size, unsigned cause, const struct cause_names *names)
{
        if (cause < _CAUSE_MAX)
                return cause_text(text, size, (enum cause) cause, names);

        return cause_expand(text, size, rows[cause].text, names);
}

/**
 * ping_cause_remedy() - write the command that removes a cause, or shows what does
 * @text: set to the command
 * @size: of @text in bytes
 * @cause: an enum cause or an enum ping_cause
 * @names: what the command names
 *
 * Return: @text.
 */
const char *ping_cause_remedy(char *text, size_t size, unsigned cause, const struct cause_names *names)
{
        if (cause < _CAUSE_MAX)
                return cause_remedy(text, size, (enum cause) cause, names);

        return cause_expand(text, size, rows[cause].remedy, names);
}
