# frozen_string_literal: true

module Stepwell
  # Runs handlers on threads: those of workflow classes, and others by name.
  #
  # A worker claims only steps that it has a handler for. Its lease is renewed while handlers run, whatever they do; when
  # the process dies the lease runs out and others take over. A handler that raises, calls exit, ends
  # its thread or returns something that is not JSON fails its own step and nothing else; one that
  # never returns keeps a thread until its step has timed out, and is then replaced.
  #
  # @example a worker process
  #   Stepwell::Worker.new(engine: engine, workflows: [OrderWorkflow], threads: 8).run
  class Worker
    # Errors after which a worker cannot go on.
    FATAL = [ClosedError, ForkedEngineError, PoisonedError, CorruptDatabaseError, AccessError].freeze
    private_constant :FATAL

    # How long one exchange waits for work, in milliseconds. Stopping does not depend on it.
    WAIT_MS = 1000
    private_constant :WAIT_MS

    # @return [Engine]
    attr_reader :engine

    # @return [Integer, nil] number in the store, while it runs
    attr_reader :id

    # @return [StandardError, nil] what made it impossible to go on
    attr_reader :failure

    # @param workflows [Array<Class>] {Workflow} classes
    # @param handlers [Hash{String => #call}] handlers by name, for steps that are declared elsewhere:
    #   in another program, another language or a file; each is called with a {Context}
    # @param engine [Engine]
    # @param threads [Integer] handlers at once
    # @param queues [Array<String, Symbol>, nil] claim from these only; nil for every queue
    # @param name [String, nil] for people; "pid@host" when absent
    # @param lease [Numeric] seconds after which others may take the steps of a silent worker
    # @param grace [Numeric] seconds that running handlers get to finish when it stops
    # @param batch [Integer] steps that a thread claims at once; more pays when handlers take less
    #   than a millisecond
    # @param logger [#warn, #error, nil] told of what the worker survives
    # @raise [InvalidArgumentError] a workflow has a step without a method, or two have one handler
    def initialize(workflows: [], handlers: {}, engine: Stepwell.engine, threads: 4, queues: nil, name: nil, lease: 15,
                   grace: 25, batch: 1, logger: nil)
      @engine = engine
      @handlers = all_handlers(Array(workflows), handlers)
      @threads = positive(threads, "threads")
      @batch = positive(batch, "batch")
      @options = { handlers: @handlers.keys, queues: queues&.map(&:to_s), name: name,
                   lease_ms: (positive(lease, "lease") * 1000).ceil }
      @lease = lease
      @grace = grace
      @logger = logger
      @lock = Mutex.new
      @slots = []
      @hung = []
      @leaving = false
      @state = :new
      @pid = nil
    end

    # Work until the process gets SIGTERM or SIGINT: then claim nothing more, give running handlers
    # their grace, release what is left and leave. A second signal ends the grace.
    #
    # @param until [Task, nil] work until this task has ended instead
    # @param signals [Array<String>] signals that end it
    # @return [self]
    # @raise [Error] what made it impossible to go on
    def run(until: nil, signals: %w[TERM INT])
      task = binding.local_variable_get(:until) # until is a word of the language, too
      Signals.trapping(signals) do |arrivals|
        start
        work_until(arrivals, task)
        stop { arrivals.wait(0) }
      end
      raise @failure if @failure

      self
    end

    # Begin to work on threads of its own. When the process ends without {#stop}, what they hold is
    # released.
    #
    # @return [self]
    # @raise [IllegalTransitionError] it runs already
    def start
      @lock.synchronize do
        raise IllegalTransitionError, "the worker runs already" if running?

        @id = open
        @failure = nil
        @state = :running
        @renewal = Renewal.new(self, @lease).start
        @slots = Array.new(@threads) { Slot.new(self).start }
        @pid = Process.pid
      end
      Exit.watch(self)
      self
    end

    # Claim nothing more, wait for running handlers, release what is left and leave. Threads of
    # handlers that have not finished are ended.
    #
    # @param grace [Numeric] seconds that running handlers get
    # @yieldreturn [Boolean] asked now and then: whether to end the grace
    # @return [self]
    def stop(grace: @grace, &hurry)
      return self unless @lock.synchronize { running? && !@leaving && (@leaving = true) }

      begin
        @state = :stopping
        deadline = now + grace
        rest(0.02) until idle? || now >= deadline || hurry&.call
      ensure
        leave
      end
      self
    end

    # @return [Boolean] false in a forked child, whatever the parent's worker does
    def running?
      (@state == :running || @state == :stopping) && @pid == Process.pid
    end

    # @return [Array<Context>] what its handlers work on now
    def contexts
      attempts.map(&:context)
    end

    # @return [String]
    def inspect
      "#<Stepwell::Worker #{@id || "-"} #{@state}, #{@threads} threads>"
    end

    # The rest is for the threads of the worker.

    # @api private
    def stopping?
      @state != :running
    end

    # @api private
    def closed?
      @state == :closed
    end

    # @api private
    def attempts
      @slots.flat_map(&:attempts)
    end

    # @api private
    def attempt(claim)
      Attempt.new(claim, @handlers.fetch(claim.handler), @engine)
    end

    # @return [Array<Claim>, nil] nil when the worker had to enter the store again
    # @api private
    def exchange(rows)
      id = @id
      @engine.exchange(id, rows, @batch, WAIT_MS).claims
    rescue NotFoundError => e
      raise if e.row

      open_again(id)
    end

    # @return [Array] no claims
    # @api private
    def report(rows)
      @engine.update_batch(rows)
      []
    end

    # @api private
    def renew(held)
      id = @id
      @engine.worker_renew(id, held)
    rescue NotFoundError
      open_again(id)
      held
    end

    # Put another thread in the place of one whose handler goes on although its step was lost.
    #
    # @param lost_before [Float]
    # @api private
    def replace_hung(lost_before)
      hung = @slots.select { |slot| slot.attempts.any? { |attempt| attempt.lost_at&.<(lost_before) } }
      hung.each do |slot|
        slot.abandon
        replace(slot)
        @hung << slot
      end
    end

    # A thread has ended.
    #
    # @api private
    def left(slot, abandoned:)
      replace(slot) unless stopping? || abandoned
    end

    # @api private
    def fail(error)
      @failure ||= error
      @state = :stopping if @state == :running
      log(:error, error)
    end

    # @api private
    def rest(seconds)
      sleep([seconds, stopping? ? 0.02 : seconds].min)
      @engine.wake if stopping? # a thread may have gone to wait a moment ago
    rescue ClosedError
      nil
    end

    # @api private
    def log(level, error)
      @logger&.public_send(level, "stepwell worker #{@id}: #{error.class}: #{error.message}")
    rescue StandardError
      nil # a log that cannot be written is no reason to stop working
    end

    private

    def all_handlers(workflows, others)
      named = others.to_h { |name, callable| [name.to_s, Handler.new(name.to_s, callable)] }
      all = [*workflows.map { |workflow| Handler.all_of(workflow) }, named].reduce do |known, more|
        known.merge(more) do |name, one, other|
          raise InvalidArgumentError, "#{one} and #{other} both handle #{name}"
        end
      end
      raise InvalidArgumentError, "a worker needs a workflow with a method, or handlers:" if all.empty?

      all
    end

    def positive(number, what)
      return number if number.is_a?(Numeric) && number.positive?

      raise InvalidArgumentError, "#{what}: must be a positive number, not #{number.inspect}"
    end

    def open
      id = @engine.worker_open(**@options.compact)
      @engine.worker_keep(id)
      id
    end

    # The store knows this worker no longer, for example because the machine slept for longer than
    # the lease.
    def open_again(id)
      @lock.synchronize { @id = open if @id == id && !stopping? }
      nil
    end

    def replace(slot)
      @lock.synchronize do
        index = @slots.index(slot)
        @slots[index] = Slot.new(self).start if index && !stopping?
      end
    end

    def work_until(arrivals, task)
      until stopping?
        break if arrivals.wait(task ? 0 : 0.2)
        break if task && ended?(task)
      end
    end

    def ended?(task)
      @engine.wait(task.is_a?(Task) ? task.id : task, 100)
      true
    rescue WaitTimeoutError
      false
    end

    def idle?
      @slots.none?(&:alive?)
    end

    # Everything the worker still holds becomes ready for others.
    def leave
      @state = :closed
      @renewal.stop
      @engine.worker_close(@id)
    rescue Error => e
      log(:warn, e)
    ensure
      (@slots + @hung).each(&:kill)
      @slots = []
      @hung = []
      @id = nil
      @leaving = false
      Exit.forget(self)
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end

require "stepwell/worker/attempt"
require "stepwell/worker/exit"
require "stepwell/worker/handler"
require "stepwell/worker/renewal"
require "stepwell/worker/signals"
require "stepwell/worker/slot"
