/* Stands in for libnvidia-ml.so.1: answers the calls of pynvml with what the file $NVML_STANDIN says now.
 *
 *   device UUID                  what follows is about this card
 *   slice UUID SIZE              what follows is about this MIG slice of the card above, of SIZE compute slices
 *   process PID BYTES            a compute process on it
 *   sample PID TIME SM MEMORY    a utilisation sample of a process: microseconds of the epoch, percent
 *   usage TIME PERCENT           a utilisation sample of the whole card, likewise
 *   works PERCENT                samples of the whole card for the last 20 s, six a second, all of this percentage
 *   rates GPU MEMORY             percent of the whole device
 *   memory USED TOTAL            bytes
 *   power MILLIWATTS
 *   energy MILLIJOULES           the total energy counter
 *   draws MILLIWATTS             this power, and an energy counter that rises with it by the machine's clock
 *   temperature DEGREES
 *   clock MEGAHERTZ
 *   fail FUNCTION CODE           this call on this device returns this code; before any device: on the library
 *
 * What a device's lines do not tell (memory, power, energy, temperature, clock) it does not support.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9 };
enum { SAMPLES = 128, DEVICES = 64 };

typedef unsigned long long u64;
typedef struct { unsigned pid; u64 memory; unsigned gpu_instance, compute_instance; } Process;
typedef struct { unsigned pid; u64 time; unsigned sm, memory, encoder, decoder; } Sample;
typedef struct { u64 time; union { u64 whole; unsigned percent; } value; } CardSample;
typedef struct { unsigned gpu, memory; } Rates;
typedef struct { u64 total, free, used; } Memory;
typedef struct {
    unsigned multiprocessors, copy, decoders, encoders, jpeg, ofa, gpu_slices, compute_slices;
    u64 memory_mb;
} Attributes;

typedef struct Device {
    char uuid[96];
    int card; /* Of a slice: index of its card. Of a card: its own. */
    unsigned slices;
    Process processes[16];
    Sample samples[16];
    CardSample usage[SAMPLES];
    Rates rates;
    Memory memory;
    u64 power, energy;
    unsigned temperature, clock;
    int tells_memory, tells_power, tells_energy, tells_temperature, tells_clock;
    unsigned process_count, sample_count, usage_count;
    struct { char function[64]; int code; } failures[16];
    unsigned failure_count;
} Device;

static Device devices[DEVICES]; /* The first one stands for the library. */
static int device_count;

static u64 microseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (u64)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void use(Device *device, u64 time, unsigned percent) {
    if (device->usage_count < SAMPLES) {
        device->usage[device->usage_count].time = time;
        device->usage[device->usage_count++].value.percent = percent;
    }
}

static void learn(Device *current, const char *line) {
    Process p = {0};
    Sample s = {0};
    u64 number, second;
    unsigned percent;
    if (sscanf(line, "process %u %llu", &p.pid, &p.memory) == 2) current->processes[current->process_count++] = p;
    if (sscanf(line, "sample %u %llu %u %u", &s.pid, &s.time, &s.sm, &s.memory) == 4)
        current->samples[current->sample_count++] = s;
    if (sscanf(line, "usage %llu %u", &number, &percent) == 2) use(current, number, percent);
    if (sscanf(line, "works %u", &percent) == 1) {
        u64 now = microseconds(CLOCK_REALTIME) / 166667;
        for (u64 sixth = now - 119; sixth <= now; sixth++) use(current, sixth * 166667, percent);
        current->rates.gpu = percent;
    }
    sscanf(line, "rates %u %u", &current->rates.gpu, &current->rates.memory);
    if (sscanf(line, "memory %llu %llu", &number, &second) == 2) {
        current->memory = (Memory){.used = number, .total = second, .free = second - number};
        current->tells_memory = 1;
    }
    if (sscanf(line, "power %llu", &current->power) == 1) current->tells_power = 1;
    if (sscanf(line, "energy %llu", &current->energy) == 1) current->tells_energy = 1;
    if (sscanf(line, "draws %llu", &current->power) == 1) {
        current->energy = (u64)((double)current->power * microseconds(CLOCK_MONOTONIC) / 1e6);
        current->tells_power = current->tells_energy = 1;
    }
    if (sscanf(line, "temperature %u", &current->temperature) == 1) current->tells_temperature = 1;
    if (sscanf(line, "clock %u", &current->clock) == 1) current->tells_clock = 1;
    if (sscanf(line, "fail %63s %d", current->failures[current->failure_count].function,
               &current->failures[current->failure_count].code) == 2)
        current->failure_count++;
}

static int told(Device *device, const char *function) {
    char line[256], uuid[96];
    unsigned size;
    int index = device - devices, card = 0;
    FILE *file = getenv("NVML_STANDIN") ? fopen(getenv("NVML_STANDIN"), "r") : NULL;
    if (!file) return DRIVER_NOT_LOADED;
    memset(devices, 0, sizeof devices);
    device_count = 0;
    while (fgets(line, sizeof line, file)) {
        int of_card = sscanf(line, "device %95s", uuid) == 1;
        int of_slice = sscanf(line, "slice %95s %u", uuid, &size) == 2;
        if ((of_card || of_slice) && device_count < DEVICES - 1) {
            Device *next = &devices[++device_count];
            memcpy(next->uuid, uuid, sizeof uuid);
            next->card = card = of_card ? device_count : card;
            next->slices = of_slice ? size : 0;
        } else {
            learn(&devices[device_count], line);
        }
    }
    fclose(file);
    for (unsigned i = 0; i < devices[index].failure_count; i++)
        if (!strcmp(devices[index].failures[i].function, function)) return devices[index].failures[i].code;
    return SUCCESS;
}

static int is_card(int index) { return devices[index].card == index; }

#define ASK(device) do { int code = told(device, __func__); if (code) return code; } while (0)
#define ASK_WHETHER(device, figure) do { ASK(device); if (!(device)->figure) return NOT_SUPPORTED; } while (0)

int nvmlInitWithFlags(unsigned flags) { (void)flags; ASK(devices); return SUCCESS; }
int nvmlInit_v2(void) { ASK(devices); return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int code) {
    return code == NOT_SUPPORTED       ? "Not Supported"
           : code == DRIVER_NOT_LOADED ? "Driver Not Loaded"
           : code == 15                ? "GPU is lost"
           : code == 16                ? "GPU requires restart"
                                       : "Unknown Error";
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    ASK(devices);
    *count = 0;
    for (int i = 1; i <= device_count; i++) *count += is_card(i);
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    ASK(devices);
    for (int i = 1; i <= device_count; i++)
        if (is_card(i) && index-- == 0) {
            *device = &devices[i];
            ASK(*device);
            return SUCCESS;
        }
    return INVALID_ARGUMENT;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, Device **device) {
    ASK(devices);
    for (int i = 1; i <= device_count; i++)
        if (!strcmp(devices[i].uuid, uuid)) {
            *device = &devices[i];
            return SUCCESS;
        }
    return NOT_FOUND;
}

int nvmlDeviceGetUUID(Device *device, char *uuid, unsigned length) {
    ASK(device);
    snprintf(uuid, length, "%s", device->uuid);
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) { ASK(device); *count = 7; return SUCCESS; }

int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **slice) {
    ASK(device);
    for (int i = 1; i <= device_count; i++)
        if (!is_card(i) && devices[i].card == device - devices && index-- == 0) {
            *slice = &devices[i];
            return SUCCESS;
        }
    return NOT_FOUND;
}

int nvmlDeviceGetAttributes_v2(Device *device, Attributes *attributes) {
    ASK_WHETHER(device, slices);
    *attributes = (Attributes){.gpu_slices = device->slices, .compute_slices = device->slices};
    return SUCCESS;
}

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

int nvmlDeviceGetProcessUtilization(Device *device, Sample *samples, unsigned *count, u64 since) {
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

int nvmlDeviceGetSamples(Device *device, int what, u64 since, int *type, unsigned *count, CardSample *samples) {
    ASK(device);
    (void)what;
    *type = 1; /* unsigned int */
    if (device->slices) return NOT_SUPPORTED;
    if (!samples) { /* How many it can hold, whatever there is. */
        *count = SAMPLES;
        return SUCCESS;
    }
    unsigned newer = 0;
    for (unsigned i = 0; i < device->usage_count && newer < *count; i++)
        if (device->usage[i].time > since) samples[newer++] = device->usage[i];
    *count = newer;
    return newer ? SUCCESS : NOT_FOUND;
}

int nvmlDeviceGetUtilizationRates(Device *device, Rates *rates) {
    ASK(device);
    if (device->slices) return NOT_SUPPORTED;
    *rates = device->rates;
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    ASK_WHETHER(device, tells_memory);
    *memory = device->memory;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(Device *device, unsigned *milliwatts) {
    ASK_WHETHER(device, tells_power);
    *milliwatts = device->power;
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(Device *device, u64 *millijoules) {
    ASK_WHETHER(device, tells_energy);
    *millijoules = device->energy;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned *degrees) {
    ASK_WHETHER(device, tells_temperature);
    (void)sensor;
    *degrees = device->temperature;
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(Device *device, int domain, unsigned *megahertz) {
    ASK_WHETHER(device, tells_clock);
    (void)domain;
    *megahertz = device->clock;
    return SUCCESS;
}
