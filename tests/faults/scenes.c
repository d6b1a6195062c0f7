#include "scenes.h"
#include "scene.h"

const scene scenes[] = {
#define ROW(name) {#name, scene_##name},
    SCENES(ROW){NULL, NULL}};
