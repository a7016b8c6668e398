/* Loading DuckDB: see duckdb_library.h. */
#include "io/duckdb_library.h"

static Duck functions;

static const LibrarySymbol symbols[] = {
    {"duckdb_create_config", offsetof(Duck, create_config)},
    {"duckdb_set_config", offsetof(Duck, set_config)},
    {"duckdb_destroy_config", offsetof(Duck, destroy_config)},
    {"duckdb_open_ext", offsetof(Duck, open)},
    {"duckdb_close", offsetof(Duck, close)},
    {"duckdb_connect", offsetof(Duck, connect)},
    {"duckdb_disconnect", offsetof(Duck, disconnect)},
    {"duckdb_query", offsetof(Duck, query)},
    {"duckdb_destroy_result", offsetof(Duck, destroy_result)},
    {"duckdb_result_error", offsetof(Duck, result_error)},
    {"duckdb_column_count", offsetof(Duck, column_count)},
    {"duckdb_column_name", offsetof(Duck, column_name)},
    {"duckdb_column_type", offsetof(Duck, column_type)},
    {"duckdb_fetch_chunk", offsetof(Duck, fetch_chunk)},
    {"duckdb_data_chunk_get_size", offsetof(Duck, chunk_size)},
    {"duckdb_data_chunk_get_vector", offsetof(Duck, chunk_vector)},
    {"duckdb_destroy_data_chunk", offsetof(Duck, destroy_chunk)},
    {"duckdb_vector_get_data", offsetof(Duck, vector_data)},
    {"duckdb_vector_get_validity", offsetof(Duck, vector_validity)},
    {"duckdb_create_logical_type", offsetof(Duck, type_new)},
    {"duckdb_destroy_logical_type", offsetof(Duck, type_free)},
    {"duckdb_create_scalar_function", offsetof(Duck, function_new)},
    {"duckdb_destroy_scalar_function", offsetof(Duck, function_free)},
    {"duckdb_scalar_function_set_name", offsetof(Duck, function_name)},
    {"duckdb_scalar_function_add_parameter", offsetof(Duck, function_parameter)},
    {"duckdb_scalar_function_set_varargs", offsetof(Duck, function_more)},
    {"duckdb_scalar_function_set_return_type", offsetof(Duck, function_result)},
    {"duckdb_scalar_function_set_special_handling", offsetof(Duck, function_takes_null)},
    {"duckdb_scalar_function_set_volatile", offsetof(Duck, function_is_volatile)},
    {"duckdb_scalar_function_set_extra_info", offsetof(Duck, function_extra)},
    {"duckdb_scalar_function_set_function", offsetof(Duck, function_body)},
    {"duckdb_register_scalar_function", offsetof(Duck, function_register)},
    {"duckdb_scalar_function_get_extra_info", offsetof(Duck, call_extra)},
    {"duckdb_scalar_function_set_error", offsetof(Duck, call_fail)},
    {"duckdb_arrow_scan", offsetof(Duck, arrow_scan)},
};

static Library library = {.purpose = "reading and writing Parquet",
                          .names = "libduckdb.so",
                          .variable = "MATLOOM_DUCKDB",
                          .advice = "install DuckDB 1.2 or later, for example the npm package "
                                    "@duckdb/node-bindings-linux-x64, where the loader finds it",
                          .symbols = symbols,
                          .count = sizeof symbols / sizeof *symbols,
                          .functions = &functions,
                          .lock = PTHREAD_MUTEX_INITIALIZER};

const Duck *duckdb_get(Ctx *ctx)
{
    return library_load(ctx, &library) == ML_OK ? &functions : NULL;
}

const Duck *duckdb_used(void)
{
    return &functions;
}
