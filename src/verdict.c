/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The one table of the verdicts' names. */

#include "tunecho/verdict.h"

#include "tunecho/util.h"

static const struct {
        const char *name;  /* in messages, and the label of the metric */
        const char *field; /* of a journal entry */
        const char *meaning;
} verdicts[] = {
        [VERDICT_REPLY] = { "reply", "TUNECHO_REPLY", "echo requests that are answered" },
        [VERDICT_REPLY_FRAGMENT] = { "reply-fragment", "TUNECHO_REPLY_FRAGMENT",
                                     "later fragments that are sent back" },
        [VERDICT_MALFORMED] = { "malformed", "TUNECHO_MALFORMED",
                                "something on the way cuts or mangles packets" },
        [VERDICT_NOT_ICMP] = { "not-icmp", "TUNECHO_NOT_ICMP", "other traffic is routed into the device" },
        [VERDICT_NOT_ECHO] = { "not-echo", "TUNECHO_NOT_ECHO",
                               "ICMP that is no echo request, such as the kernel's own router "
                               "solicitations" },
        [VERDICT_BAD_IP_CHECKSUM] = { "bad-ip-checksum", "TUNECHO_BAD_IP_CHECKSUM",
                                      "something on the way changes IP headers" },
        [VERDICT_BAD_ICMP_CHECKSUM] = { "bad-icmp-checksum", "TUNECHO_BAD_ICMP_CHECKSUM",
                                        "something on the way changes packets, or leaves checksums to an "
                                        "offload" },
        [VERDICT_BAD_SOURCE] = { "bad-source", "TUNECHO_BAD_SOURCE",
                                 "nobody can have their source address, so nobody could get a reply" },
        [VERDICT_BAD_DESTINATION] = { "bad-destination", "TUNECHO_BAD_DESTINATION",
                                      "nobody can have their destination address" },
        [VERDICT_NOT_OURS] = { "not-ours", "TUNECHO_NOT_OURS",
                               "Destination= does not contain their destination" },
        [VERDICT_GROUP_DESTINATION] = { "group-destination", "TUNECHO_GROUP_DESTINATION",
                                        "broadcast or multicast that is not to be answered" },
        [VERDICT_SOURCE_ROUTE] = { "source-route", "TUNECHO_SOURCE_ROUTE", "source routes are not followed" },
        [VERDICT_BAD_OPTION] = { "bad-option", "TUNECHO_BAD_OPTION",
                                 "an IP option is malformed, or asks to be dropped" },
        [VERDICT_UNSUPPORTED] = { "unsupported", "TUNECHO_UNSUPPORTED",
                                  "extension headers inside a fragment, or too many of them" },
};

_Static_assert(ARRAY_SIZE(verdicts) == _VERDICT_MAX, "every verdict needs its names");

/**
 * verdict_name() - name a verdict
 * @verdict: the verdict
 *
 * Return: its name as messages, metrics and the manual page spell it.
 */
const char *verdict_name(enum verdict verdict)
{
        return verdicts[verdict].name;
}

/**
 * verdict_meaning() - say what packets with a verdict mean
 * @verdict: the verdict
 *
 * Return: half a sentence.
 */
const char *verdict_meaning(enum verdict verdict)
{
        return verdicts[verdict].meaning;
}

/**
 * verdict_field() - name the journal field that counts a verdict
 * @verdict: the verdict
 *
 * Return: the field's name, without "=".
 */
const char *verdict_field(enum verdict verdict)
{
        return verdicts[verdict].field;
}

/**
 * verdict_is_reply() - tell whether a packet with this verdict is answered
 * @verdict: the verdict
 */
bool verdict_is_reply(enum verdict verdict)
{
        return verdict == VERDICT_REPLY || verdict == VERDICT_REPLY_FRAGMENT;
}
