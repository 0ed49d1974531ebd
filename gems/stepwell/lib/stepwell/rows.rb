# frozen_string_literal: true

# The rows an engine answers with. The extension has defined them as Structs and fills them eagerly;
# every row and everything in it is frozen. Here stand their documentation and a few readers that
# parse JSON on demand. Times are Integers in microseconds UTC on the store's clock, nil when they
# have not come yet.
module Stepwell
  # Answer of {Engine#info}: durability, schema_version (0 for memory), sqlite (true or false),
  # now_us.
  class Info; end

  # A definition as loaded: name, version, digest (SHA-256, 64 hex digits), json (canonical),
  # max_parallel (0 when it does not say), findings (warnings, as {DefinitionError#findings}),
  # deadline_ms (of its tasks, 0 when it does not say).
  class Definition; end

  # Answer to one submitted row: task_id, created (false when the key named an existing task), state.
  class Submitted; end

  # A task as stored: task_id, workflow, version, digest, input_json, key, initiator, reason,
  # correlation_id, tags, state, priority, created_us, started_us, finished_us, step_count,
  # step_counts ({state => number}), steps ({StepRow}s in topological order, nil from {Engine#list}),
  # deadline_us (by when it has to end), parent_id (of the task that started it, nil when none did).
  class TaskRow
    # @return [Object] the input, frozen
    def input
      Payload.load(input_json)
    end

    # @return [Boolean] whether nothing but an operator can move it on
    def ended?
      !finished_us.nil?
    end

    # @param name [String, Symbol]
    # @return [StepRow, nil]
    def step(name)
      steps&.find { |row| row.name == name.to_s }
    end
  end

  # A step as stored: step_id, name, title, handler, queue, state, attempt, max_attempts, open_deps,
  # level, epoch, changed_us, not_before_us, deadline_us, worker_id, result_json, error_class,
  # error_message, error_detail, fails_us (when its own deadline fails it; deadline_us is the end of
  # the running attempt's timeout).
  class StepRow
    # @return [Object] the result, frozen; nil until it succeeded
    def result
      Payload.load(result_json)
    end
  end

  # Why a step does not run: step, state, reason (one of {REASONS}), subject, message (a sentence),
  # until_us (when it resolves by itself).
  class Reason
    # @return [String]
    def to_s
      message
    end
  end

  # What became of a reported row: step_id, epoch (the newest of the step), status (:applied or
  # :fenced), state (after the call), not_before_us (of a retry).
  class Applied
    def applied?
      status == :applied
    end

    # @return [Boolean] whether a newer attempt holds the step, or it had ended; nothing changed then
    def fenced?
      status == :fenced
    end
  end

  # A step that a worker holds: step_id, epoch (the fencing token), task_id, workflow, version, step,
  # handler, queue, parameters_json, input_json, idempotency_key, correlation_id, inputs
  # ({StepInput}s, one per direct dependency), attempt, max_attempts, timeout_ms, heartbeat_ms (how
  # long it may say nothing; nil: for ever).
  class Claim
    # @return [Object] input of the task, frozen
    def input
      Payload.load(input_json)
    end

    # @return [Document] parameters of the step's definition, frozen
    def parameters
      Payload.load(parameters_json || "{}")
    end
  end

  # Result of a direct dependency: step, result_json, state.
  class StepInput
    # @return [Object] frozen
    def result
      Payload.load(result_json)
    end
  end

  # A task that ended in a call: task_id, state.
  class TaskFinished; end

  # Answer of {Engine#exchange}: applied ({Applied}s in the order of the reported rows), claims
  # ({Claim}s, most urgent first), finished ({TaskFinished}s).
  class Exchange; end

  # Where a task stands: task_id, workflow, version, state, execution_status (one of
  # {EXECUTION_STATUSES}), recommended_action (one of {RECOMMENDED_ACTIONS}), health_status (one of
  # {HEALTH_STATUSES}), completion_percentage (two digits; 100.0 only when every step is done),
  # step_count, step_counts ({state => number}, every state included), ready_count (may start now),
  # next_retry_us (when the next attempt of another ready step may start), next_steps (names of those
  # that may start now, in the order in which workers get them), blocking_steps (failed for good, or
  # cancelled), blocked_steps (pending, and depend on those at whatever distance), deadline_us (by when
  # it has to end), next_deadline_us (the first deadline to pass of those of the task and its steps).
  class TaskContext
    # @return [Boolean] whether nothing is wrong
    def healthy?
      health_status == :healthy
    end

    # @return [Boolean] whether it goes on only when somebody does something
    def blocked?
      health_status == :blocked
    end
  end

  # Whether a step may start: step_id, step (name), state, ready (a worker may take it now), reason
  # (one of {REASONS}), dependencies_satisfied, retry_eligible (it has not ended, and another attempt
  # may start), attempts (that count: not those ended by a lost lease), max_attempts, total_parents,
  # completed_parents (direct dependencies, and those of them that are done), next_retry_us.
  class StepReadiness
    alias ready? ready
    alias dependencies_satisfied? dependencies_satisfied
    alias retry_eligible? retry_eligible
  end

  # What became of a step that was to be changed by hand: step_id, status (:applied or :refused), from
  # (state before), state (after the call), code (why it was refused, like :ESTATE), message.
  class Overridden
    def applied?
      status == :applied
    end

    def refused?
      status == :refused
    end
  end

  # A step that has failed for good: step_id, task_id, workflow, version, step (name), handler, queue,
  # error_class, error_message, error_detail (of the last attempt), failed_us, attempt (attempts that
  # were started), max_attempts, crashes (attempts lost with their worker), task_state.
  class DeadRow; end

  # Dead letters of one error class and handler: error_class, handler, count, oldest_us, newest_us.
  class DeadGroup; end

  # What Tasker's row of a step would say: ready (its ready_for_execution), dependencies_satisfied,
  # retry_eligible, total_parents, completed_parents, next_retry_us (end of the waits, also when it is
  # over; nil: none).
  class TaskerReadiness
    # @return [Boolean]
    def ready?
      ready
    end
  end

  # A circuit breaker: name, state (one of {BREAKER_STATES}), failures (in a row), successes and probing
  # (while half-open: so far, and steps that run), openings (in a row), forced (whether an operator has
  # opened it), until_us (open: when it becomes half-open, nil: when an operator closes it), changed_us,
  # error_class (of the last failure that counted); and its settings: failure_threshold,
  # success_threshold, probes, open_ms, max_open_ms.
  class BreakerRow
    # @return [Boolean] whether steps that name it are not started
    def open?
      state == :open
    end

    # @return [Boolean]
    def closed?
      state == :closed
    end
  end

  # Answer of {Operations#batch_update_step_states}: updated_count (steps that were changed), rows
  # ({Overridden}s in the order of the batch).
  BatchUpdate = Struct.new(:updated_count, :rows)

  # What was pruned, or would be: task_count, step_count (of these tasks), freed_bytes (by which the
  # database file becomes smaller).
  class Pruned; end

  # What was erased, or would be: task_count, erased_count (tasks that had been before), clean (whether no
  # copy is left in the database file).
  class Erased; end

  # A worker as stored: worker_id, name, host, pid, lease_until_us, held (number of steps), alive,
  # handlers.
  class WorkerRow; end

  # One entry of the audit log: entry_no (from 1, dense), time_us, kind (one of {AUDIT_KINDS}), from
  # and to (states of the step or task), attempt, epoch, step_id, worker_id, task_id, step (name),
  # actor, reason, subject, digest (64 hex digits).
  class AuditEntry; end

  # What a verification found: ok, entry_count, segment_count, step_count, commit_count,
  # fenced_count, reclaim_count, first_bad_entry, last_bad_entry, head (hash of the last segment),
  # message (what was proved, or what kind of change the bad entries look like), level (one of
  # {AUDIT_LEVELS}), signed_count (entries that checkpoints cover), root (of the tree, with
  # checkpoints), pruned_count and erased_count (tasks), anchored_count (entries that anchors cover),
  # anchored_us (when the newest anchor was set, as it says; nil without anchors).
  class AuditReport
    # @return [Time, nil] when the newest anchor was set: a log may have been rolled back to there
    def anchored_at
      anchored_us && Time.at(0, anchored_us, :microsecond)
    end
  end

  # Entries of one kind that led to one state: kind, outcome (the state; nil where there is none), count,
  # oldest_us, newest_us.
  class AuditGroup; end

  # Entries of one actor: actor (nil: the engine itself), count, oldest_us, newest_us.
  class AuditActor; end

  # Answer of {Audit#stats}: kinds ({AuditGroup}s) and actors ({AuditActor}s), the largest first.
  AuditStats = Struct.new(:kinds, :actors)

  # What became of an event that was to be appended: position (of the event; of the first one for
  # :duplicate, nil for :refused), version (of the stream after this row, nil where there is no such
  # task), status (one of {APPEND_STATUSES}), code (why it was refused, like :EOUTDATED), message.
  class Appended
    def appended?
      status == :appended
    end

    # @return [Boolean] whether the task had an event with this key, type and data
    def duplicate?
      status == :duplicate
    end

    def refused?
      status == :refused
    end
  end

  # An event: position, time_us, type, task_id, step (name), data_json (of an appended event what was
  # appended, of task.submitted the input, of step.completed and step.resolved the result, of
  # step.failed class, message and detail; nil where the store does not have it any more), key and
  # correlation_id (of an appended event), entry ({AuditEntry}).
  class Event
    # @return [Object] frozen
    def data
      Payload.load(data_json)
    end

    # @return [Time]
    def time
      Time.at(0, time_us, :microsecond)
    end
  end

  # A task as an event left it: task_id, workflow, version (of the workflow), state, position (of that
  # event: the version that its stream had), time_us, step_counts ({state => number}), steps
  # ({StepPast}s in topological order).
  class TaskPast
    # @param name [String, Symbol]
    # @return [StepPast, nil]
    def step(name)
      steps.find { |row| row.name == name.to_s }
    end
  end

  # A step as an event left it: step_id, name, state, attempt, epoch, position (of the event that
  # brought it there; nil: the submission of the task), changed_us.
  class StepPast; end

  # A projection as it is kept: name, version (of the code), epoch (another one after it was begun
  # anew), position (of the newest event in it), changed_us, state_json.
  class ProjectionRow; end

  # A key that signs checkpoints: name (of the log, too), vkey (the public verifier key).
  class AuditKey; end

  # A signed checkpoint: origin (name of its key), entry_count (it covers entries 1 to this one),
  # entries_new (of them, those that the key had not signed before), root (64 hex digits), note (the
  # text to keep).
  class AuditCheckpoint
    # @return [String] the text to keep
    def to_s
      note
    end
  end

  # A checkpoint that lies outside: place, note (its text, with what witnesses signed), entry_count,
  # time_us (when it was set, as the place says; 0 where it does not).
  class AuditAnchor
    # @return [String] the text to keep
    def to_s
      note
    end
  end

  # Answer of {Audit#rotate}: key (the {AuditKey} that took over), checkpoint (the {AuditCheckpoint} that
  # both keys signed, for auditors to keep).
  AuditRotation = Struct.new(:key, :checkpoint)

  # A proof: entry ({AuditEntry} it is about, nil for a proof of consistency), text.
  class AuditProof
    # @return [String]
    def to_s
      text
    end
  end

  # What a proof has shown: entry is in the log of origin as it was with entry_count entries; or, when
  # old_count is not 0, the first old_count of these are those of the older checkpoint.
  class AuditShown; end

  # A control of a standard: standard (one of :soc2, :iso27001, :hipaa, :pci, :nist, :gdpr), cites (its
  # title and edition), control (as the standard numbers it), title, question (what is asked of a log; or,
  # without evidence, who can answer it), evidence (the kinds that answer it).
  class Control; end

  # What the audit log holds as evidence: origin (of the log), entry_count (that the checkpoint covers),
  # window_count (of them, in the time asked for), as_of_us (of the newest), level (:signed or :anchored),
  # found, not_found and not_applicable (controls), controls ({ControlAnswer}s), evidence ({Evidence} of
  # each kind), text (the document).
  class ControlReport
    # @return [String] the document
    def to_s
      text
    end
  end

  # What its evidence says of a control: standard, control, title, question, answer (:found, :not_found or
  # :not_applicable), entry_nos (a sample).
  class ControlAnswer; end

  # What there is of a kind of evidence: evidence, question, answer, entry_count (entries that are
  # evidence), entry_nos (a sample of them), against_count and against_nos (entries that speak against it).
  class Evidence; end

  # Who signed a report: name (of the key), digest (SHA-256 of the report, hex), note (the signed text).
  class ControlSignature
    # @return [String] the signed text
    def to_s
      note
    end
  end

  # When a task ends, and with a change: task_id, state, changed (whether one was asked for), now_us,
  # elapsed_us (since it started), step_count, ended_count, history_count (tasks learnt from), draws
  # (plays of the rest of the task), workers_learnt (whether the number of workers is from the
  # history), base and what_if ({ForecastCase}s), difference_us (what_if - base, as left_us),
  # calibration ({Calibration}), steps ({ForecastStep}s in topological order).
  class Forecast
    # @return [Time] when the task most likely ends: half of the plays ended before
    def eta
      eta_of(base)
    end

    # @return [Time] the same with the change
    def eta_what_if
      eta_of(what_if)
    end

    # @param name [String, Symbol]
    # @return [ForecastStep, nil]
    def step(name)
      steps.find { |row| row.name == name.to_s }
    end

    private

    def eta_of(side)
      Time.at(0, now_us + side.left_us[1], :microsecond)
    end
  end

  # One case of a {Forecast}: state (that the task ends in), workers (steps that run at once), left_us
  # (10th, 50th and 90th percentile of the time to the end), p50_between_us (how exact the plays make
  # the 50th: it lies there with 95 %), work_us (mean running time to come, over all steps), never_count (steps that will not run), path (names of the steps that decide the end,
  # each of which begins when the one before it ends), progress (work done of all work, 0..1).
  class ForecastCase; end

  # A step of a {Forecast}: name, state, source (one of {DURATION_SOURCES}), sample_count, p50_us,
  # p95_us, elapsed_us (since its first attempt began, or how long it took), runs and runs_what_if
  # (whether it will run), overdue (whether it has been running longer than any before), decides and
  # decides_what_if (share of the plays in which it is on the path that decides the end).
  class ForecastStep; end

  # Forecasts in hindsight: task_count (how many past tasks were forecast), within_count (of them, the
  # truth lay between the 10th and 90th percentile; 80 % are meant to), error (median of
  # |forecast - truth| / truth), trusted (whether there were enough tasks, 5).
  class Calibration; end

  # What a step takes, from ended tasks: name, source (one of :step, :handler, :timeout, :default),
  # sample_count (durations it is based on; 0 for the last two), p50_us, p95_us.
  class StepDuration; end
end
