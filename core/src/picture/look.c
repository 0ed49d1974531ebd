/* The list of looks. Colours of text and lines have a contrast of 4.5 to 1 at least on their fill;
 * the shape of the mark and the border say the same for those who do not see them. */
#include "picture/look.h"

#include "stepwell.h"

static const sw__look looks[SW__LOOK_COUNT] = {
    [SW_STEP_PENDING] = {"pending", "·", ".", "2", "#f6f8fa", "#6e7781", "#161b22", "#7d8590",
                         "M-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0", true, true},
    [SW_STEP_READY] = {"ready", "○", "o", "", "#ffffff", "#0969da", "#0d1117", "#58a6ff",
                       "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0", false, false},
    [SW_STEP_RUNNING] = {"running", "▸", ">", "36", "#ddf4ff", "#0969da", "#0c2d4a", "#58a6ff",
                         "M-3.5 -5L5 0L-3.5 5Z", true, false},
    [SW_STEP_WAITING] = {"waiting", "◷", "w", "33", "#fff8c5", "#9a6700", "#322500", "#d29922",
                         "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0M0 -3V0H3", false, false},
    [SW_STEP_SUCCEEDED] = {"succeeded", "✓", "+", "32", "#dafbe1", "#1a7f37", "#0f2d1a", "#3fb950",
                           "M-5 0.5L-1.5 4L5 -4", false, false},
    [SW_STEP_FAILED] = {"failed", "✗", "x", "31", "#ffebe9", "#cf222e", "#3d1214", "#ff7b72",
                        "M-4 -4L4 4M4 -4L-4 4", false, false},
    [SW_STEP_SKIPPED] = {"skipped", "↷", "-", "2", "#f6f8fa", "#6e7781", "#161b22", "#7d8590",
                         "M-5 3C-4 -5 4 -5 4.5 2M1.5 0L4.5 3L6.5 -1", false, true},
    [SW_STEP_CANCELLED] = {"cancelled", "⊘", "/", "33", "#fff1e5", "#bc4c00", "#341a00", "#f0883e",
                           "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0M-3.5 3.5L3.5 -3.5", false, true},
    [SW_STEP_RESOLVED] = {"resolved", "✓", "+", "33", "#fbefff", "#8250df", "#271052", "#bc8cff",
                          "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0M-3 0L-0.7 2.3L3 -2.3",
                          false, false},
    [SW_STEP_STATE_COUNT] = {"none", "", "", "", "#f6f8fa", "#59636e", "#161b22", "#9198a1", "",
                             false, false},
};

_Static_assert(SW__LOOK_COUNT == SW_STEP_STATE_COUNT + 1, "every state has a look");

const sw__look *sw__look_get(int state)
{
    return &looks[state >= 0 && state < SW_STEP_STATE_COUNT ? state : SW_STEP_STATE_COUNT];
}

const char *sw_step_state_mark(int state, int ascii)
{
    const sw__look *look = sw__look_get(state);
    return ascii ? look->mark_ascii : look->mark;
}
