/* Choosing which bug of core/src/base/plant.h is in the core; 0 is none. */
#ifndef SIM_PLANT_H
#define SIM_PLANT_H

/* Bugs are numbered from 1 to this. */
int plant_count(void);
void plant_choose(int plant);
int plant_chosen(void);
/* 0 when there is none of this name. */
int plant_find(const char *name);
const char *plant_name(int plant);
const char *plant_describe(int plant);

#endif
