/* The bugs that can be planted (core/src/base/plant.h): which one is, and what they need. */
#include "sim/plant.h"

#include <string.h>

#include "base/plant.h"
#include "store/store.h"

int sw__planted;

typedef struct plant_text {
    const char *name;
    const char *text;
} plant_text;

static const plant_text plant_texts[] = {{"NONE", "nothing is wrong"},
#define PLANT_TEXT(name, text) {#name, text},
                                         SW__PLANT_MAP(PLANT_TEXT)
#undef PLANT_TEXT
};

int sw__plant_cut(sw__store *store, sw_error *err)
{
    int rc = store->ops->commit(store, err);
    return rc < 0 ? rc : store->ops->begin(store, true, err);
}

int plant_count(void)
{
    return SW__PLANT_END - 1;
}

void plant_choose(int plant)
{
    sw__planted = plant;
}

int plant_chosen(void)
{
    return sw__planted;
}

int plant_find(const char *name)
{
    for (int i = 1; i < SW__PLANT_END; i++) {
        if (strcmp(plant_texts[i].name, name) == 0)
            return i;
    }
    return 0;
}

const char *plant_name(int plant)
{
    return plant_texts[plant].name;
}

const char *plant_describe(int plant)
{
    return plant_texts[plant].text;
}
