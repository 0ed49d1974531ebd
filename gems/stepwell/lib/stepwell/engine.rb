# frozen_string_literal: true

module Stepwell
  # One open store and everything that works on it: the low level, in batches and JSON text.
  # {Workflow}, {Task} and {Worker} are built on it.
  #
  # An engine starts no thread and may be used by many. It belongs to the process that opened it: in
  # a forked child every call raises {ForkedEngineError} and the parent's connection is not touched.
  # Calls that block release the GVL once, and Thread#kill, Thread#raise and Timeout end their waits.
  #
  # Every method may raise {ClosedError}, {ForkedEngineError}, {StorageError}, {StorageFullError} and
  # {BusyError} (another process wrote for longer than busy_timeout_ms), which the comments do not
  # repeat. A call that raised has written nothing. Arguments of a wrong type raise TypeError,
  # Integers that do not fit RangeError, texts that are not valid UTF-8 {InvalidArgumentError}.
  #
  # @!method initialize(store, durability: :strict, busy_timeout_ms: 5000, payload_max: 1_048_576, must_exist: false)
  #   Open a store, creating or migrating it when needed. Prefer {Engine.open}.
  #   @param store [String] a path, "sqlite:///path" or "memory:"
  #   @param durability [Symbol] :strict (on disk when acknowledged), :relaxed (a power loss may take
  #     the last commits) or :memory
  #   @param busy_timeout_ms [Integer] how long to wait for another writer
  #   @param payload_max [Integer] bytes of one input or result
  #   @param must_exist [Boolean] raise instead of creating the database
  #   @raise [NotFoundError, ForeignDatabaseError, SchemaVersionError, CorruptDatabaseError, AccessError]
  #
  # @!method close
  #   Close the store. Calls of other threads are woken and finish first. Closing twice is no error.
  #   @return [nil]
  #
  # @!method closed?
  #   @return [Boolean]
  #
  # @!method info
  #   @return [Info]
  #
  # @!method wake
  #   Make every {#exchange} of this process that waits for work return with what it has.
  #   @return [nil]
  #
  # @!method register_text(text, strict: false, source: nil)
  #   Check a definition and store it, so that tasks can be submitted.
  #   @param text [String] JSON or YAML
  #   @param strict [Boolean] whether unknown keys are errors
  #   @param source [String, nil] file name for messages
  #   @return [Definition]
  #   @raise [DefinitionError] with all findings
  #
  # @!method workflow(name, version = nil)
  #   The newest registered definition of a name.
  #   @return [Definition]
  #   @raise [NotFoundError]
  #
  # @!method submit(rows)
  #   Start tasks in one transaction: all or none.
  #   @param rows [Array<Hash{Symbol => Object}>] :workflow (required), :version, :input_json, :key
  #     (idempotency key within the workflow), :initiator, :reason, :correlation_id, :tags (Array of
  #     Strings), :priority (-32768..32767), :deadline_ms (from now on) or :deadline_us (a time),
  #     :parent ({Task} or its id: the task that starts this one)
  #   @return [Array<Submitted>]
  #   @raise [NotFoundError] no such workflow, no such parent
  #   @raise [ConflictError] the key is known with another input
  #   @raise [InvalidArgumentError, LimitError] #row says which
  #
  # @!method get(task_id)
  #   @param task_id [String] UUID
  #   @return [TaskRow] with its steps
  #   @raise [NotFoundError]
  #
  # @!method wait(task_id, wait_ms)
  #   Wait until a task has ended.
  #   @param wait_ms [Integer, nil] milliseconds, nil without end
  #   @return [TaskRow] with its steps
  #   @raise [WaitTimeoutError, NotFoundError]
  #
  # @!method list(state: nil, workflow: nil, tag: nil, correlation_id: nil, before: nil, limit: 100, created_after_us: nil, created_before_us: nil, parent: nil)
  #   @param before [String, nil] only tasks submitted before this one, for the next page
  #   @param limit [Integer] 10,000 at most
  #   @param created_after_us [Integer, nil] only tasks created at this time or later
  #   @param created_before_us [Integer, nil] only tasks created before this time
  #   @param parent [Task, String, nil] only tasks that this one started, also when it was pruned
  #   @return [Array<TaskRow>] newest first, without steps
  #
  # @!method count(state: nil, workflow: nil, tag: nil, correlation_id: nil, created_after_us: nil, created_before_us: nil, parent: nil)
  #   @return [Hash{Symbol => Integer}] by state
  #
  # @!method cancel(rows)
  #   Cancel tasks in one transaction: all or none.
  #   @param rows [Array<Array>] [task_id, actor, reason]
  #   @return [nil]
  #   @raise [NotFoundError, IllegalTransitionError] #row says which
  #
  # @!method exchange(worker_id, rows, claim_max, wait_ms)
  #   Report outcomes and claim steps in one transaction. Waits only when nothing was reported and
  #   nothing is ready; may return early, with nothing. When an exception ends the call after steps
  #   were claimed, they are given back.
  #   @param rows [Array<Array>] [step_id, epoch, outcome, result_json, error_class, error_message,
  #     error_detail, retry_after_ms]; the last five may be left out; outcome is one of {OUTCOMES}
  #   @param claim_max [Integer]
  #   @param wait_ms [Integer, nil] milliseconds, nil without end
  #   @return [Exchange]
  #   @raise [NotFoundError] the worker is closed (#row is nil), or no such step
  #   @raise [InvalidArgumentError, LimitError] #row says which
  #
  # @!method update_batch(rows)
  #   Report outcomes without claiming and without a worker.
  #   @param rows [Array<Array>] as for {#exchange}
  #   @return [Array<Applied>]
  #
  # @!method heartbeat(rows)
  #   Say that attempts go on, without a worker. Attempts of steps that have a heartbeat_ms are ended
  #   when nothing is said of them for so long; {Context#heartbeat} sees to it in handlers.
  #   @param rows [Array<Array(Integer, Integer)>] [step_id, epoch] as claimed
  #   @return [Array<Applied>] fenced: the attempt counts no longer
  #   @raise [NotFoundError, InvalidArgumentError] #row says which
  #
  # @!method explain(task_id, step = nil)
  #   @return [Array<Reason>] why the step, or each step that has not ended, does not run
  #   @raise [NotFoundError]
  #
  # @!method task_context(task_ids)
  #   @param task_ids [Array<String>] UUIDs
  #   @return [Array<TaskContext>] where these tasks stand, all of one moment
  #   @raise [NotFoundError] #row says which
  #
  # @!method step_readiness(task_id)
  #   @param task_id [String] UUID
  #   @return [Array<StepReadiness>] whether each step may start, in topological order
  #   @raise [NotFoundError]
  #
  # @!method override(rows, mode = :all_or_nothing)
  #   Bring steps into other states by hand, in one transaction. {Operations#batch_update_step_states}
  #   says more.
  #   @param rows [Array<Array>] [step_id, state, actor, reason, result_json]; only the last may be
  #     left out, and only :resolved has one
  #   @param mode [Symbol] one of {BATCH_MODES}
  #   @return [Array<Overridden>]
  #   @raise [IllegalTransitionError, NotFoundError] with :all_or_nothing; #row says which
  #   @raise [InvalidArgumentError, LimitError] #row says which
  #
  # @!method dead_list(workflow: nil, handler: nil, step: nil, error_class: nil, failed_after_us: nil, failed_before_us: nil, after_us: nil, after_step_id: nil, limit: 100)
  #   Steps that have failed for good, newest first. {DeadLetters} has friendlier forms of the three.
  #   @param after_us [Integer, nil] failed_us of the last row of the page before
  #   @param after_step_id [Integer, nil] its step_id
  #   @return [Array<DeadRow>]
  #   @raise [InvalidArgumentError]
  #
  # @!method dead_count(**filter)
  #   @return [Array<DeadGroup>] how many there are of each error class and handler
  #
  # @!method dead_override(state, actor, reason, result_json = nil, **filter)
  #   Retry (:ready) or resolve (:resolved) all that a filter finds, up to its limit, in one
  #   transaction.
  #   @return [Array(Array<DeadRow>, Array<Overridden>)] what was found, and what became of each
  #   @raise [InvalidArgumentError, LimitError]
  #
  # @!method breaker_list
  #   {Breakers} has friendlier forms of the two.
  #   @return [Array<BreakerRow>] every circuit breaker that a registered workflow names, by name
  #
  # @!method breaker_override(rows)
  #   Open or close circuit breakers by hand, all or none.
  #   @param rows [Array<Array>] [name, state, actor, reason, open_ms]; the state is :open or :closed,
  #     and only :open has an open_ms (milliseconds; nil: until it is closed by hand)
  #   @return [Array<BreakerRow>] what they are after that
  #   @raise [NotFoundError, InvalidArgumentError, LimitError] #row says which
  #
  # @!method task_prune(finished_before_us, workflow: nil, states: nil, limit: nil, dry_run: false, actor: nil, reason: nil)
  #   Take out tasks that have ended. {Operations#prune} says more. What was committed before an
  #   exception stays done.
  #   @param finished_before_us [Integer] only tasks that ended before this time
  #   @param states [Symbol, Array<Symbol>, nil] in which they ended
  #   @return [Pruned]
  #   @raise [InvalidArgumentError, LimitError]
  #
  # @!method forecast(task_id, fail: nil, slower: nil, skip: nil, resolve: nil, workers: nil, more_workers: nil, resources: nil, draws: 200, history: 50, calibrate: 20)
  #   When a task ends, from what its steps took in earlier tasks, and the same with changes. Nothing
  #   is written. The same question about the same state has the same answer.
  #   @param fail [Symbol, String, Array] steps that fail for good when they would have ended
  #   @param slower [Hash{Symbol, String => Numeric}] steps that take so many times as long
  #   @param skip [Symbol, String, Array] steps that an operator skips now
  #   @param resolve [Symbol, String, Array] steps that an operator resolves now, so that those after
  #     them go on
  #   @param workers [Integer] steps that run at once
  #   @param more_workers [Integer] added to that number, or to the one learnt; may be negative
  #   @param resources [Array<Array(Integer, Array)>] [seats, steps]: at most so many of these steps
  #     run at once
  #   @param draws [Integer] plays of the rest of the task, 100,000 at most; unless given, 200, of
  #     large tasks fewer, but 5
  #   @param history [Integer] newest ended tasks to learn from, 1,000 at most; unless given, 50, of
  #     large ones those that have 200,000 steps together
  #   @param calibrate [Integer] of them, how many to forecast in hindsight; -1: none; unless given,
  #     20, of large ones fewer or none
  #   @return [Forecast]
  #   @raise [NotFoundError] the task, or a step it does not have
  #   @raise [IllegalTransitionError] a change of a step that has ended, or that an operator could not
  #     make now
  #   @raise [InvalidArgumentError] #row counts over fail, skip, resolve, slower
  #
  # @!method worker_open(handlers:, name: nil, queues: nil, lease_ms: 15_000)
  #   @param handlers [Array<String>] steps with other handlers are never claimed
  #   @param queues [Array<String>, nil] nil for every queue
  #   @return [Integer] number of the worker, never used again
  #
  # @!method worker_renew(worker_id, held)
  #   @param held [Array<Array(Integer, Integer)>] [step_id, epoch] of steps that are worked on
  #   @return [Array<Array(Integer, Integer)>] those that are held no longer
  #   @raise [NotFoundError] the worker is closed
  #
  # @!method worker_keep(worker_id)
  #   Renew the lease from a native thread until the worker or the engine is closed, also while a
  #   handler holds the lock of the VM.
  #   @return [nil]
  #   @raise [NotFoundError] the worker is closed
  #
  # @!method worker_close(worker_id)
  #   Leave: held steps become ready again without counting an attempt.
  #   @return [nil]
  #
  # @!method worker_list
  #   @return [Array<WorkerRow>]
  #
  # @!method audit_verify(checkpoints = nil, keys = nil, anchors = nil, jobs = nil)
  #   Recompute the audit log and compare it with the state, and with checkpoints that were signed with
  #   one of the keys. {#audit} has this and more in a friendlier form.
  #   @return [AuditReport]
  #   @raise [AuditError] with #report
  #
  # @!method audit_task(task_id)
  #   @return [Array<AuditEntry>] oldest first
  #
  # @!method audit_list(entry_no, limit)
  #   @return [Array<AuditEntry>] from entry_no on
  #
  # @!method audit_search(**filter)
  #   Filters are kind, actor, step, outcome, correlation_id, task_id, after_us, before_us,
  #   after_entry_no and limit; {Audit#entries} has the same in a friendlier form.
  #   @return [Array<AuditEntry>] oldest first
  #
  # @!method audit_count(**filter)
  #   @return [Array(Array<AuditGroup>, Array<AuditActor>)]
  #
  # @!method audit_dump(format, heads = true, **filter)
  #   @return [Array(String, Integer, Integer)] text of a page, its entries, the number of the last one
  #
  # @!method event_append(rows, mode = :all_or_nothing)
  #   Append events in one transaction. {Events} has friendlier forms of this and the next three.
  #   @param rows [Array<Array>] [task_id, type, data_json, expected_version, key, correlation_id, step,
  #     actor, reason]; all but the first two may be nil or left out
  #   @param mode [Symbol] one of {BATCH_MODES}
  #   @return [Array<Appended>]
  #   @raise [VersionConflictError, ConflictError, NotFoundError, IllegalTransitionError] with
  #     :all_or_nothing; #row says which
  #   @raise [InvalidArgumentError, LimitError] #row says which
  #
  # @!method event_list(after: nil, before: nil, types: nil, task_id: nil, correlation_id: nil, after_us: nil, before_us: nil, newest_first: false, limit: 100)
  #   @return [Array<Event>] a page
  #   @raise [InvalidArgumentError, LimitError, AuditError]
  #
  # @!method event_wait(after, wait_ms)
  #   Wait until there is an event behind a position.
  #   @param wait_ms [Integer, nil] milliseconds, nil without end
  #   @return [Integer] the position of the newest event, also when the time is over
  #
  # @!method event_replay(task_id, until_position = nil)
  #   @return [TaskPast] the task as it was once the event at a position had happened; nil: as it is
  #   @raise [NotFoundError] no such task, or not yet at that position
  #
  # @!method projection_open(name, version)
  #   {Projection} folds events into what this and the next three keep.
  #   @return [ProjectionRow] made at position 0 when there is none of this version
  #
  # @!method projection_save(name, epoch, from, position, state_json)
  #   @return [nil]
  #   @raise [VersionConflictError] it has another epoch, or is not at the position from any more
  #
  # @!method projection_list
  #   @return [Array<ProjectionRow>] by name
  #
  # @!method projection_delete(name)
  #   @return [nil]
  #   @raise [NotFoundError]
  #
  # @!method audit_seal(path)
  #   @return [AuditCheckpoint]
  #
  # @!method audit_prove(checkpoint, entry_nos)
  #   @return [Array<AuditProof>]
  #
  # @!method audit_prove_consistency(old, checkpoint)
  #   @return [AuditProof]
  #
  # @!method audit_export(folder, checkpoint)
  #   @return [nil]
  #
  # @!method task_export(task_id, checkpoint = nil, path = nil)
  #   The text of a task file, which is written to path as well. {Task#export} has this in a friendlier
  #   form, {TaskFile} what can be done with it.
  #   @return [String]
  #   @raise [NotFoundError, AuditError]
  #
  # @!method self.task_file_verify(text, source, checkpoints, keys, anchors)
  #   @return [AuditReport]
  #   @raise [AuditError] with #report
  #   @raise [InvalidArgumentError] it is no task file
  #
  # @!method self.task_file_open(text, source = nil, entry_no = nil)
  #   @return [Engine] in memory
  #   @raise [AuditError, InvalidArgumentError, NotFoundError]
  #
  # @!method self.audit_keygen(name, path)
  #   @return [AuditKey]
  #
  # @!method self.audit_check(proof, checkpoints, keys)
  #   @return [AuditShown]
  #
  # @!method self.audit_verify_export(folder, checkpoints, keys, anchors = nil, jobs = nil)
  #   @return [AuditReport]
  #
  # @!method control_report(format, standards, after_us, before_us, checkpoints, keys)
  #   {Audit#report} has the same in a friendlier form.
  #   @return [ControlReport]
  #
  # @!method self.control_report_export(folder, format, standards, after_us, before_us, checkpoints, keys)
  #   @return [ControlReport]
  #
  # @!method self.control_list
  #   @return [Array<Control>]
  #
  # @!method self.control_sign(path, text)
  #   @return [ControlSignature]
  #
  # @!method self.control_check(text, note, keys)
  #   @return [ControlSignature]
  class Engine
    include Operations
    include DeadLetters
    include Breakers
    include Events
    include TaskPictures

    # Open a store.
    #
    # @param store [String, #to_path] a path, "sqlite:///path" or "memory:"
    # @param options [Hash] as for {#initialize}
    # @yieldparam engine [Engine] closed when the block ends
    # @return [Engine, Object] the engine, or the value of the block
    def self.open(store, **options)
      engine = new(store.respond_to?(:to_path) ? store.to_path : store, **options)
      return engine unless block_given?

      begin
        yield engine
      ensure
        engine.close
      end
    end

    # The keys of a row of {#submit} that say a deadline.
    #
    # @param deadline [Numeric, Time, nil] seconds from now, or a time
    # @return [Hash{Symbol => Integer}]
    # @raise [InvalidArgumentError]
    # @api private
    def self.deadline_row(deadline)
      case deadline
      when nil then {}
      when Time then { deadline_us: (deadline.to_r * 1_000_000).floor }
      when String then raise InvalidArgumentError, "deadline: must be seconds or a Time, not a String"
      else
        seconds = deadline.to_f
        raise InvalidArgumentError, "deadline: must be more than 0 seconds" unless seconds.positive? && seconds.finite?

        { deadline_ms: [(seconds * 1000).round, 1].max }
      end
    end

    # Check a definition and store it. Storing one that is there already is no error.
    #
    # @param definition [Class, Hash, String] a {Workflow} class, a definition as Hash, or JSON or
    #   YAML text
    # @param strict [Boolean] whether unknown keys are errors
    # @param source [String, nil] file name for messages
    # @return [Definition]
    # @raise [DefinitionError] with all findings
    def register(definition, strict: false, source: nil)
      case definition
      when Class then register_class(definition)
      when Hash then register_text(Payload.dump(definition), strict: strict, source: source)
      else register_text(definition, strict: strict, source: source)
      end
    end

    # Start one task of a registered workflow.
    #
    # @param workflow [String]
    # @param input [Object] anything that {Payload} can write
    # @param deadline [Numeric, Time, nil] seconds that the task may take, or when it has to have ended
    # @param options [Hash] the other keys of a row of {#submit}
    # @return [Task]
    def start(workflow, input = nil, deadline: nil, **options)
      row = { workflow: workflow, input_json: Payload.dump(input), **Engine.deadline_row(deadline), **options }
      Task.new(self, submit([row.compact]).first.task_id)
    end

    # Levels, critical path, slack, bottlenecks, width, impact and more of a stored workflow. A step
    # that duration does not name counts with its timeout, one without a timeout as a second; times in
    # the answer are seconds.
    #
    # @param workflow [String, Class] name of a workflow, a {Workflow} class, or the UUID of a task, which
    #   stands for the definition that its steps come from
    # @param version [String, nil]
    # @param duration [Hash{String, Symbol => Numeric}] seconds that steps take
    # @param durations [Symbol] what the others take: :declared (their timeouts), or :p50 or :p95 of
    #   ended tasks, where there are any
    # @param parts [Array<Symbol>, nil] keys of {Graph::PARTS}
    # @return [Graph::Analysis]
    # @raise [NotFoundError]
    # @raise [InvalidArgumentError] durations is none of them
    def analyze_dependencies(workflow, version: nil, duration: {}, durations: :declared, parts: nil)
      found = definition_of(workflow, version)
      seconds = JSON.parse(found.json)["steps"].to_h do |step|
        [step["name"], step["timeout_ms"].to_i.positive? ? step["timeout_ms"].fdiv(1000) : 1.0]
      end
      seconds.update(learnt_seconds(found, durations))
      Graph.of(found).analyze(duration: seconds.merge(duration.transform_keys(&:to_s)), parts: parts)
    end

    alias analyze analyze_dependencies

    # @return [Audit] the audit log: verify, sign, prove, export
    def audit
      Audit.new(self)
    end

    # @param id [String] UUID of a task
    # @return [Task] it is looked up when something of it is asked for
    def task(id)
      Task.new(self, id)
    end

    # @param created_after [Time, nil] only tasks created at this time or later
    # @param created_before [Time, nil] only tasks created before this time
    # @param filter [Hash] as for {#list}
    # @return [Array<Task>]
    def tasks(created_after: nil, created_before: nil, **filter)
      times = { created_after_us: created_after, created_before_us: created_before }.compact
      times.transform_values! { |time| (time.to_r * 1_000_000).floor }
      list(**times, **filter).map { |row| Task.new(self, row.task_id) }
    end

    # @return [String]
    def inspect
      "#<Stepwell::Engine #{closed? ? "closed" : "open"}>"
    end

    private

    LEARNT = { declared: nil, p50: :p50_us, p95: :p95_us }.freeze
    private_constant :LEARNT

    # What ended tasks took, of the steps that are known from them.
    def learnt_seconds(definition, durations)
      reader = LEARNT.fetch(durations) do
        raise InvalidArgumentError, "durations is #{durations.inspect}, expected :declared, :p50 or :p95"
      end
      return {} if reader.nil?

      known = native_durations(definition.json, 0).select { |row| row.sample_count.positive? }
      known.to_h { |row| [row.name, row.public_send(reader).fdiv(1_000_000)] }
    end

    TASK_ID = /\A\h{8}(-\h{4}){3}-\h{12}\z/.freeze
    private_constant :TASK_ID

    def definition_of(workflow, version)
      return register(workflow) if Class === workflow

      begin
        self.workflow(workflow, version)
      rescue NotFoundError
        raise unless TASK_ID.match?(workflow)

        row = get(workflow)
        self.workflow(row.workflow, row.version)
      end
    end

    # A class is stored once per engine, unless its definition has changed.
    def register_class(workflow)
      raise TypeError, "#{workflow} is not a workflow class" unless workflow <= Workflow

      text = workflow.definition_json
      @registered ||= {}
      known = @registered[workflow]
      return known.last if known && known.first == text

      definition = register_text(text, strict: true, source: workflow.to_s)
      @registered[workflow] = [text, definition]
      definition
    end
  end
end
