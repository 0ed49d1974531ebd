/* Arguments for calls; see api_run.h. */
#include "fuzz/api_run.h"

#include "base/str.h"

sw_str pick_json(fuzz_bytes *bytes)
{
    static const char *const texts[] = {"null", "{}", "[1,2.5,\"x\"]", "\"\\u00e9\"", "1e999"};
    size_t which = fuzz_pick(bytes, 8);
    if (which < sizeof(texts) / sizeof(texts[0]))
        return sw__str(texts[which]);
    return which == 5 ? (sw_str){0} : fuzz_take_text(bytes, 40);
}

sw_str pick_name(fuzz_bytes *bytes)
{
    static const char *const names[] = {"w", "v", "2", "", "a", "top", "bottom", "no such name"};
    size_t which = fuzz_pick(bytes, 10);
    if (which < sizeof(names) / sizeof(names[0]))
        return sw__str(names[which]);
    return which == 8 ? (sw_str){0} : fuzz_take_text(bytes, 20);
}

sw_str pick_text(fuzz_bytes *bytes)
{
    return fuzz_pick(bytes, 3) ? (sw_str){0} : fuzz_take_text(bytes, 12);
}

sw_uuid pick_task(call_run *run)
{
    sw_uuid id = {{0}};
    size_t which = fuzz_pick(&run->bytes, TASKS_MAX + 1);
    if (which < run->task_count)
        return run->tasks[which];
    id.bytes[0] = (uint8_t)which;
    return id;
}

sw_worker_ref pick_worker(call_run *run)
{
    size_t which = fuzz_pick(&run->bytes, WORKERS_MAX + 1);
    if (which < run->worker_count)
        return run->workers[which];
    return (sw_worker_ref){(int64_t)fuzz_take(&run->bytes, 2) - 100};
}

call_claim pick_claim(call_run *run)
{
    size_t which = fuzz_pick(&run->bytes, CLAIMS_MAX);
    if (which < run->claim_count)
        return run->claims[which];
    return (call_claim){.step_id = (int64_t)fuzz_take(&run->bytes, 8)};
}

int64_t pick_number(fuzz_bytes *bytes)
{
    size_t which = fuzz_pick(bytes, 8);
    if (which == 0)
        return (int64_t)fuzz_take(bytes, 8);
    return which == 1 ? (int64_t)fuzz_take(bytes, 2) - 1000 : 0;
}

size_t pick_outcomes(call_run *run, sw_step_outcome *rows)
{
    fuzz_bytes *bytes = &run->bytes;
    size_t count = fuzz_pick(bytes, ROWS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        call_claim claim = pick_claim(run);
        int64_t off = pick_number(bytes);
        rows[i] = (sw_step_outcome){.step_id = claim.step_id, .retry_after_ms = pick_number(bytes)};
        rows[i].epoch = (int64_t)((uint64_t)claim.epoch + (uint64_t)off);
        rows[i].outcome = (int32_t)fuzz_pick(bytes, SW_OUTCOME_COUNT + 1);
        rows[i].result = pick_json(bytes);
        rows[i].error_class = pick_text(bytes);
        rows[i].error_message = pick_text(bytes);
        rows[i].error_detail = pick_text(bytes);
    }
    return count;
}
