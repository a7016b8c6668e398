/* Loading libhdf5: see hdf5_library.h. The library of dimension scales brings the other along. */
#include "io/hdf5_library.h"

static Hdf5 functions;
static pthread_mutex_t in_use = PTHREAD_MUTEX_INITIALIZER; /* guards the library; outermost */

static const LibrarySymbol symbols[] = {
    {"H5open", offsetof(Hdf5, open)},
    {"H5Eset_auto2", offsetof(Hdf5, set_auto)},
    {"H5Ewalk2", offsetof(Hdf5, walk)},
    {"H5Fopen", offsetof(Hdf5, file_open)},
    {"H5Fcreate", offsetof(Hdf5, file_create)},
    {"H5Fclose", offsetof(Hdf5, file_close)},
    {"H5Oopen", offsetof(Hdf5, object_open)},
    {"H5Oclose", offsetof(Hdf5, object_close)},
    {"H5Iget_type", offsetof(Hdf5, object_type)},
    {"H5Gget_info", offsetof(Hdf5, group_info)},
    {"H5Lget_name_by_idx", offsetof(Hdf5, link_name)},
    {"H5Dcreate2", offsetof(Hdf5, data_create)},
    {"H5Dget_offset", offsetof(Hdf5, data_offset)},
    {"H5Dget_storage_size", offsetof(Hdf5, data_stored)},
    {"H5Dget_create_plist", offsetof(Hdf5, data_creation)},
    {"H5Dget_space", offsetof(Hdf5, data_space)},
    {"H5Dget_type", offsetof(Hdf5, data_type)},
    {"H5Dread", offsetof(Hdf5, data_read)},
    {"H5Dread_chunk", offsetof(Hdf5, data_chunk)},
    {"H5Dwrite", offsetof(Hdf5, data_write)},
    {"H5Dvlen_reclaim", offsetof(Hdf5, vlen_reclaim)},
    {"H5Screate_simple", offsetof(Hdf5, space_new)},
    {"H5Sget_simple_extent_ndims", offsetof(Hdf5, space_dims)},
    {"H5Sget_simple_extent_dims", offsetof(Hdf5, space_shape)},
    {"H5Sselect_hyperslab", offsetof(Hdf5, space_select)},
    {"H5Sclose", offsetof(Hdf5, space_close)},
    {"H5Tget_class", offsetof(Hdf5, type_class)},
    {"H5Tequal", offsetof(Hdf5, type_equal)},
    {"H5Tget_size", offsetof(Hdf5, type_size)},
    {"H5Tget_sign", offsetof(Hdf5, type_sign)},
    {"H5Tget_order", offsetof(Hdf5, type_order)},
    {"H5Tget_precision", offsetof(Hdf5, type_precision)},
    {"H5Tget_fields", offsetof(Hdf5, type_fields)},
    {"H5Tget_strpad", offsetof(Hdf5, type_pad)},
    {"H5Tget_cset", offsetof(Hdf5, type_charset)},
    {"H5Tis_variable_str", offsetof(Hdf5, type_is_variable)},
    {"H5Tcopy", offsetof(Hdf5, type_copy)},
    {"H5Tenum_create", offsetof(Hdf5, type_enum)},
    {"H5Tenum_insert", offsetof(Hdf5, type_insert)},
    {"H5Tset_size", offsetof(Hdf5, type_set_size)},
    {"H5Tset_cset", offsetof(Hdf5, type_set_charset)},
    {"H5Tclose", offsetof(Hdf5, type_close)},
    {"H5Aexists", offsetof(Hdf5, attribute_exists)},
    {"H5Aopen", offsetof(Hdf5, attribute_open)},
    {"H5Acreate2", offsetof(Hdf5, attribute_new)},
    {"H5Aget_space", offsetof(Hdf5, attribute_space)},
    {"H5Aread", offsetof(Hdf5, attribute_read)},
    {"H5Awrite", offsetof(Hdf5, attribute_write)},
    {"H5Aclose", offsetof(Hdf5, attribute_close)},
    {"H5Pcreate", offsetof(Hdf5, list_new)},
    {"H5Pclose", offsetof(Hdf5, list_close)},
    {"H5Pset_create_intermediate_group", offsetof(Hdf5, list_make_groups)},
    {"H5Pset_link_creation_order", offsetof(Hdf5, list_track)},
    {"H5Pset_obj_track_times", offsetof(Hdf5, list_times)},
    {"H5Pget_layout", offsetof(Hdf5, list_layout)},
    {"H5Pget_chunk", offsetof(Hdf5, list_chunk)},
    {"H5Pget_nfilters", offsetof(Hdf5, list_filters)},
    {"H5Pset_alignment", offsetof(Hdf5, list_align)},
    {"H5Pset_fapl_core", offsetof(Hdf5, list_core)},
    {"H5Pset_file_image", offsetof(Hdf5, list_image)},
    {"H5DSset_scale", offsetof(Hdf5, scale_set)},
    {"H5DSattach_scale", offsetof(Hdf5, scale_attach)},
    {"H5DSis_scale", offsetof(Hdf5, scale_is)},
    {"H5DSget_scale_name", offsetof(Hdf5, scale_name)},
    {"H5T_IEEE_F64LE_g", offsetof(Hdf5, double_type)},
    {"H5T_IEEE_F32LE_g", offsetof(Hdf5, float_type)},
    {"H5T_STD_I64LE_g", offsetof(Hdf5, int64_type)},
    {"H5T_STD_I32LE_g", offsetof(Hdf5, int32_type)},
    {"H5T_STD_U8LE_g", offsetof(Hdf5, byte_type)},
    {"H5T_STD_I8LE_g", offsetof(Hdf5, flag_type)},
    {"H5T_C_S1_g", offsetof(Hdf5, text_type)},
    {"H5T_NATIVE_DOUBLE_g", offsetof(Hdf5, memory_double)},
    {"H5P_CLS_FILE_CREATE_ID_g", offsetof(Hdf5, of_files)},
    {"H5P_CLS_LINK_CREATE_ID_g", offsetof(Hdf5, of_links)},
    {"H5P_CLS_DATASET_CREATE_ID_g", offsetof(Hdf5, of_data)},
    {"H5P_CLS_FILE_ACCESS_ID_g", offsetof(Hdf5, of_access)},
};

static Library library = {
    .purpose = "reading and writing HDF5 and NetCDF-4",
    .names = "libhdf5_serial_hl.so.100 libhdf5_hl.so.100 libhdf5_hl.so.200 libhdf5_hl.so.310 "
             "libhdf5_hl.so",
    .variable = "MATLOOM_HDF5",
    .advice = "install it (Debian: libhdf5-hl-100)",
    .symbols = symbols,
    .count = sizeof symbols / sizeof *symbols,
    .functions = &functions,
    .lock = PTHREAD_MUTEX_INITIALIZER};

const Hdf5 *hdf5_begin(Ctx *ctx)
{
    if (library_load(ctx, &library) != ML_OK)
        return NULL;
    pthread_mutex_lock(&in_use);
    functions.open();
    functions.set_auto(HDF5_ALL, NULL, NULL); /* it would print its errors */
    return &functions;
}

void hdf5_end(void)
{
    pthread_mutex_unlock(&in_use);
}

/* Where the error happened says most, but for a filter that is missing: there it is a folder. */
static int keep_reason(unsigned n, const Hdf5Error *error, void *text)
{
    static const char missing[] = "required filter";

    if (n == 0 || (error->text && strncmp(error->text, missing, sizeof missing - 1) == 0))
        snprintf(text, 200, "%s", error->text ? error->text : "");
    return 0;
}

ml_status hdf5_fail(Ctx *ctx, const Hdf5 *h, ml_status code, const char *path, const char *what)
{
    char text[200] = "no reason given";

    h->walk(HDF5_ALL, HDF5_DEEPEST, keep_reason, text);
    return fail(ctx, code, "%s: %s: libhdf5 says: %s", path, what, text);
}
