/* cJSON, loaded when the first JSON text is to be read: starting the program loads nothing but the
 * C library.  The pointers are the only state; pthread_once guards them and they never change
 * afterwards. */
#include "kernel/json.h"

#include <dlfcn.h>
#include <pthread.h>

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static Json loaded;
static bool usable;

static const struct {
    const char *name;
    size_t offset; /* of the pointer in Json */
} symbols[] = {
    {"cJSON_ParseWithOpts", offsetof(Json, parse)},
    {"cJSON_Delete", offsetof(Json, free)},
    {"cJSON_GetObjectItemCaseSensitive", offsetof(Json, member)},
    {"cJSON_IsArray", offsetof(Json, is_array)},
    {"cJSON_IsBool", offsetof(Json, is_bool)},
    {"cJSON_IsFalse", offsetof(Json, is_false)},
    {"cJSON_IsNumber", offsetof(Json, is_number)},
    {"cJSON_IsObject", offsetof(Json, is_object)},
    {"cJSON_IsString", offsetof(Json, is_string)},
    {"cJSON_IsTrue", offsetof(Json, is_true)},
};

static void load(void)
{
    void *library = dlopen("libcjson.so.1", RTLD_NOW | RTLD_LOCAL);

    usable = library != NULL;
    for (size_t k = 0; usable && k < sizeof symbols / sizeof *symbols; k++) {
        void *address = dlsym(library, symbols[k].name);

        usable = address != NULL;
        *(void **)((char *)&loaded + symbols[k].offset) = address;
    }
}

ml_status json_load(Ctx *ctx)
{
    pthread_once(&load_once, load);
    return usable ? ML_OK
                  : fail(ctx, ML_EUNSUPPORTED,
                         "reading JSON needs the library libcjson.so.1, which is not installed");
}

const Json *json(void)
{
    return &loaded;
}
