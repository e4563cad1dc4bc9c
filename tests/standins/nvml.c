/* Stands in for libnvidia-ml.so.1: answers the calls of pynvml with what the file $NVML_STANDIN says now.
 *
 *   device UUID                  what follows is about this device
 *   process PID BYTES            a compute process on it
 *   sample PID TIME SM MEMORY    a utilisation sample: microseconds of the epoch, percent
 *   rates GPU MEMORY             percent of the whole device
 *   fail FUNCTION CODE           this call on this device returns this code; before any device: on the library
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9 };

typedef struct { unsigned pid; unsigned long long memory; unsigned gpu_instance, compute_instance; } Process;
typedef struct { unsigned pid; unsigned long long time; unsigned sm, memory, encoder, decoder; } Sample;
typedef struct { unsigned gpu, memory; } Rates;

typedef struct {
    char uuid[96];
    Process processes[16];
    Sample samples[16];
    Rates rates;
    unsigned process_count, sample_count;
    struct { char function[64]; int code; } failures[16];
    unsigned failure_count;
} Device;

static Device devices[9]; /* The first one stands for the library. */
static unsigned device_count;

static int told(Device *device, const char *function) {
    char line[256];
    unsigned index = device - devices;
    Device *current = devices;
    FILE *file = getenv("NVML_STANDIN") ? fopen(getenv("NVML_STANDIN"), "r") : NULL;
    if (!file) return DRIVER_NOT_LOADED;
    memset(devices, 0, sizeof devices);
    device_count = 0;
    while (fgets(line, sizeof line, file)) {
        Process p = {0};
        Sample s = {0};
        if (sscanf(line, "device %95s", devices[device_count + 1].uuid) == 1) current = &devices[++device_count];
        if (sscanf(line, "process %u %llu", &p.pid, &p.memory) == 2) current->processes[current->process_count++] = p;
        if (sscanf(line, "sample %u %llu %u %u", &s.pid, &s.time, &s.sm, &s.memory) == 4)
            current->samples[current->sample_count++] = s;
        sscanf(line, "rates %u %u", &current->rates.gpu, &current->rates.memory);
        if (sscanf(line, "fail %63s %d", current->failures[current->failure_count].function,
                   &current->failures[current->failure_count].code) == 2)
            current->failure_count++;
    }
    fclose(file);
    for (unsigned i = 0; i < devices[index].failure_count; i++)
        if (!strcmp(devices[index].failures[i].function, function)) return devices[index].failures[i].code;
    return SUCCESS;
}

#define ASK(device) do { int code = told(device, __func__); if (code) return code; } while (0)

int nvmlInitWithFlags(unsigned flags) { (void)flags; ASK(devices); return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "Unknown Error"; }
int nvmlDeviceGetCount_v2(unsigned *count) { ASK(devices); *count = device_count; return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    ASK(devices);
    *device = &devices[index + 1];
    return SUCCESS;
}

int nvmlDeviceGetUUID(Device *device, char *uuid, unsigned length) {
    ASK(device);
    snprintf(uuid, length, "%s", device->uuid);
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) { ASK(device); *count = 0; return SUCCESS; }

int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *processes) {
    ASK(device);
    unsigned room = processes ? *count : 0;
    *count = device->process_count;
    if (room < device->process_count) return INSUFFICIENT_SIZE;
    memcpy(processes, device->processes, device->process_count * sizeof(Process));
    return SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *device, unsigned *count, Process *processes) {
    ASK(device);
    (void)processes;
    *count = 0;
    return SUCCESS;
}

int nvmlDeviceGetProcessUtilization(Device *device, Sample *samples, unsigned *count, unsigned long long since) {
    ASK(device);
    unsigned newer = 0;
    for (unsigned i = 0; i < device->sample_count; i++) {
        if (device->samples[i].time <= since) continue;
        if (samples && newer < *count) samples[newer] = device->samples[i];
        newer++;
    }
    if (!newer) return NOT_FOUND;
    int enough = samples && newer <= *count;
    *count = newer;
    return enough ? SUCCESS : INSUFFICIENT_SIZE;
}

int nvmlDeviceGetUtilizationRates(Device *device, Rates *rates) {
    ASK(device);
    *rates = device->rates;
    return SUCCESS;
}
