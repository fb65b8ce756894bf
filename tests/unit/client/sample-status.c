/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Print the status that an instance sends, for tests of what tunechoctl makes of it. */

#include <stdio.h>
#include <stdlib.h>

#include "samples.h"

int main(void)
{
        const struct snapshot snapshot = sample_snapshot("tun0");
        char text[STATUS_TEXT_MAX];

        if (status_format(&snapshot.status, text, sizeof(text)) < 0)
                return EXIT_FAILURE;

        return fputs(text, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
