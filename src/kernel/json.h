/* Private to kernel/: cJSON, loaded with the first JSON text (json.c). */
#ifndef KERNEL_JSON_H
#define KERNEL_JSON_H

#include <cjson/cJSON.h>

#include "base/base.h"

typedef struct Json {
    cJSON *(*parse)(const char *text, const char **end, cJSON_bool to_the_end);
    void (*free)(cJSON *item);
    cJSON *(*member)(const cJSON *object, const char *name);
    cJSON_bool (*is_array)(const cJSON *item);
    cJSON_bool (*is_bool)(const cJSON *item);
    cJSON_bool (*is_false)(const cJSON *item);
    cJSON_bool (*is_number)(const cJSON *item);
    cJSON_bool (*is_object)(const cJSON *item);
    cJSON_bool (*is_string)(const cJSON *item);
    cJSON_bool (*is_true)(const cJSON *item);
} Json;

/* ML_EUNSUPPORTED when the library is not installed. */
ml_status json_load(Ctx *ctx);
/* The library's functions, once json_load succeeded. */
const Json *json(void);

#endif
