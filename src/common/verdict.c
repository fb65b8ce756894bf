/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The one table of the verdicts' names. */

#include "tunecho/verdict.h"

#include <stddef.h>

#include "common/util.h"

static const struct {
        const char *name;  /* in messages, and the label of the metric */
        const char *field; /* of a journal entry */
        const char *meaning;
        const char *message_id; /* of drops, from systemd-id128 new; each stands in the catalogue */
} verdicts[] = {
        [VERDICT_REPLY] = { "reply", "TUNECHO_REPLY", "echo requests that are answered", NULL },
        [VERDICT_REPLY_FRAGMENT] = { "reply-fragment", "TUNECHO_REPLY_FRAGMENT",
                                     "later fragments that are sent back", NULL },
        [VERDICT_MALFORMED] = { "malformed", "TUNECHO_MALFORMED",
                                "something on the way cuts or mangles packets",
                                "6126a045230d4914a5f276470e0a9fde" },
        [VERDICT_NOT_ICMP] = { "not-icmp", "TUNECHO_NOT_ICMP", "other traffic is routed into the device",
                               "fd5e4954d7444459bb743a0579a7b670" },
        [VERDICT_NOT_ECHO] = { "not-echo", "TUNECHO_NOT_ECHO",
                               "ICMP that is no echo request, such as the kernel's own router "
                               "solicitations",
                               "389c95ecfa1f41d8946c88a5fb2cf15b" },
        [VERDICT_BAD_IP_CHECKSUM] = { "bad-ip-checksum", "TUNECHO_BAD_IP_CHECKSUM",
                                      "something on the way changes IP headers",
                                      "05e0d14f6b1b41438d51bc8ab9869096" },
        [VERDICT_BAD_ICMP_CHECKSUM] = { "bad-icmp-checksum", "TUNECHO_BAD_ICMP_CHECKSUM",
                                        "something on the way changes packets, or leaves checksums to an "
                                        "offload",
                                        "e925a0159da1464daa33b4c668929aa0" },
        [VERDICT_BAD_SOURCE] = { "bad-source", "TUNECHO_BAD_SOURCE",
                                 "nobody can have their source address, so nobody could get a reply",
                                 "9a14ceddaf8c48e2b68bf7ec0251bfdb" },
        [VERDICT_BAD_DESTINATION] = { "bad-destination", "TUNECHO_BAD_DESTINATION",
                                      "nobody can have their destination address",
                                      "4216f270e91446d78a1f0dce4e21022a" },
        [VERDICT_NOT_OURS] = { "not-ours", "TUNECHO_NOT_OURS",
                               "Destination= does not contain their destination",
                               "6043bdd7715748a096a504bae08427ac" },
        [VERDICT_GROUP_DESTINATION] = { "group-destination", "TUNECHO_GROUP_DESTINATION",
                                        "broadcast or multicast that is not to be answered",
                                        "cb30706271b14473b854ea0b3a94ae59" },
        [VERDICT_SOURCE_ROUTE] = { "source-route", "TUNECHO_SOURCE_ROUTE", "source routes are not followed",
                                   "be630877afa44629afab87bf9903b382" },
        [VERDICT_BAD_OPTION] = { "bad-option", "TUNECHO_BAD_OPTION",
                                 "an IP option is malformed, or asks to be dropped",
                                 "8a4e1024c1e24e069e22a73b049f72c1" },
        [VERDICT_UNSUPPORTED] = { "unsupported", "TUNECHO_UNSUPPORTED",
                                  "extension headers inside a fragment, or too many of them",
                                  "3198d72ee7e14df29f3629cb2e273366" },
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
 * verdict_message_id() - name the kind of entry that tells of drops with a verdict
 * @verdict: the verdict
 *
 * Return: the id, as MESSAGE_ID= and the catalogue have it, or NULL where the verdict is no drop.
 */
const char *verdict_message_id(enum verdict verdict)
{
        return verdicts[verdict].message_id;
}

/**
 * verdict_is_reply() - tell whether a packet with this verdict is answered
 * @verdict: the verdict
 */
bool verdict_is_reply(enum verdict verdict)
{
        return verdict == VERDICT_REPLY || verdict == VERDICT_REPLY_FRAGMENT;
}
