/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The terminal of the commands that refresh. Only this file uses ncurses, and it has one screen, because a process
 * has one.
 */

#include "client/screen.h"

/* The macros of ncurses have common names. */
#define NCURSES_NOMACROS

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#include "client/panel.h"
#include "common/util.h"

/* A terminal without colour shows the attributes. */
static const struct {
        attr_t attributes;
        short colour; /* -1: the default */
} styles[] = {
        [PANEL_TEXT] = { A_NORMAL, -1 },
        [PANEL_RUNNING] = { A_BOLD, COLOR_GREEN },
        [PANEL_NOT_RUNNING] = { A_BOLD, COLOR_RED },
        [PANEL_GRAPH] = { A_NORMAL, COLOR_CYAN },
        [PANEL_HEADING] = { A_UNDERLINE, -1 },
        [PANEL_DROPPED] = { A_BOLD, COLOR_YELLOW },
};

static SCREEN *terminal;
static int row; /* the next one */

/* Whether the cursor can be moved: not on a printer, or on a terminal that terminfo(5) does not have. */
static bool is_addressable(void)
{
        const char *cup;
        int result;

        if (!isatty(STDOUT_FILENO) || setupterm(NULL, STDOUT_FILENO, &result) != OK)
                return false;

        cup = tigetstr("cup");
        (void) del_curterm(cur_term);
        return cup && cup != (const char *) -1;
}

static void start_colours(void)
{
        const char *no_colour = getenv("NO_COLOR");

        if ((no_colour && no_colour[0] != '\0') || !has_colors() || start_color() == ERR ||
            use_default_colors() == ERR)
                return;

        for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
                (void) init_pair((short) (i + 1), styles[i].colour, -1);
}

/**
 * screen_open() - start to draw on the terminal
 *
 * The caller handles SIGWINCH, with screen_resize(), and the signals that end the program.
 *
 * Return: 0, or -ENOTTY if standard output is not a terminal whose cursor can be moved.
 */
int screen_open(void)
{
        if (!is_addressable())
                return -ENOTTY;

        terminal = newterm(NULL, stdout, stdin);
        if (!terminal)
                return -ENOTTY;

        (void) cbreak();
        (void) noecho();
        (void) nodelay(stdscr, true);
        (void) curs_set(0);
        start_colours();
        return 0;
}

/**
 * screen_close() - restore the terminal
 */
void screen_close(void)
{
        (void) endwin();
        delscreen(terminal);
        terminal = NULL;
}

static void print_line(void *userdata, enum panel_style style, const char *line)
{
        (void) userdata;

        /* The last row has the footer. */
        if (row < LINES - 1) {
                (void) attr_set(styles[style].attributes, (short) (style + 1), NULL);
                (void) mvaddstr(row, 0, line);
        }
        row++;
}

/**
 * screen_begin() - clear the screen and start to draw
 * @ret_panel: the screen as a panel
 */
void screen_begin(struct panel *ret_panel)
{
        row = 0;
        (void) erase();
        *ret_panel = (struct panel) {
                .width = COLS,
                .rows = LINES - 1,
                .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
                .print = print_line,
        };
}

/**
 * screen_end() - draw the footer and update the terminal
 */
void screen_end(void)
{
        int hidden = row - (LINES - 1);

        (void) attr_set(A_NORMAL, 0, NULL);
        (void) mvaddnstr(LINES - 1, 0, "q quits, space refreshes", COLS - 1);
        if (hidden > 0)
                (void) printw(", %d lines hidden", hidden);
        (void) refresh();
}

/**
 * screen_resize() - read the size of the terminal
 */
void screen_resize(void)
{
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
                (void) resizeterm(size.ws_row, size.ws_col);
}

/**
 * screen_read_keys() - read the keys that were pressed
 *
 * Return: their command, SCREEN_QUIT before any other.
 */
enum screen_command screen_read_keys(void)
{
        enum screen_command command = SCREEN_NONE;
        int key;

        while ((key = getch()) != ERR) {
                if (key == 'q' || key == 'Q')
                        return SCREEN_QUIT;
                if (key == ' ')
                        command = SCREEN_REFRESH;
        }

        return command;
}
