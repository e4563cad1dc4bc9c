/* Stands in for libcuda.so as far as HTCondor's condor_gpu_utilization calls it: $CUDA_STANDIN cards, whose UUIDs are
 * 01010101-0101-…, 02020202-0202-… and so on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cuInit(unsigned flags) { (void)flags; return 0; }
int cuDriverGetVersion(int *version) { *version = 12040; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetAttribute(int *value, int which, int device) { (void)which; (void)device; *value = 1; return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { (void)device; *bytes = (size_t)16 << 30; return 0; }

int cuDeviceGetCount(int *count) {
    *count = getenv("CUDA_STANDIN") ? atoi(getenv("CUDA_STANDIN")) : 0;
    return 0;
}

int cuDeviceGetName(char *name, int length, int device) {
    snprintf(name, length, "Stand-in %d", device);
    return 0;
}

int cuDeviceGetUuid(unsigned char *uuid, int device) {
    memset(uuid, device + 1, 16);
    return 0;
}

int cuDeviceGetPCIBusId(char *id, int length, int device) {
    snprintf(id, length, "0000:%02x:00.0", device + 1);
    return 0;
}

int cuDeviceComputeCapability(int *major, int *minor, int device) {
    (void)device;
    *major = 8, *minor = 0;
    return 0;
}
