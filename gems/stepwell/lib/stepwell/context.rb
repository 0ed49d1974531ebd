# frozen_string_literal: true

module Stepwell
  # What a handler is given: the attempt it is, and what it works on. Values are parsed when first
  # read, and frozen.
  class Context
    # @return [Claim] the step as claimed
    attr_reader :claim

    # @return [Time, nil] when this attempt's timeout ends; the engine does not keep a result that
    #   comes later
    attr_reader :deadline

    # @param claim [Claim]
    # @param engine [Engine, nil] where {#heartbeat} is written; nil: nowhere
    def initialize(claim, engine = nil)
      @claim = claim
      timeout_ms = claim.timeout_ms
      @deadline = Time.now + (timeout_ms / 1000.0) if timeout_ms
      @heartbeat = Heartbeat.new(engine, claim) if engine && claim.heartbeat_ms
    end

    # @return [Document, Object] the task's input: a {Document} when it is a JSON object
    def input
      @input = claim.input unless defined?(@input)
      @input
    end

    # @param step [Symbol, String] a step that this one names in after:
    # @return [Object] what it returned; nil when it has not succeeded, which {#state} tells
    # @raise [KeyError] this step does not name it in after:
    def result(step)
      name = step.to_s
      @results ||= {}
      @results.fetch(name) { @results[name] = upstream(name).result }
    end

    # @param step [Symbol, String] a step that this one names in after:
    # @return [Symbol] its state when this step was claimed: :succeeded, unless it failed with
    #   on_failure: :continue, or the trigger: of this step does not wait for that
    # @raise [KeyError] this step does not name it in after:
    def state(step)
      upstream(step.to_s).state
    end

    # @return [Hash{String => Object}] the results of all steps named in after:
    def results
      claim.inputs.to_h { |input| [input.step, result(input.step)] }
    end

    # @return [Document] parameters of the step's definition
    def parameters
      @parameters ||= claim.parameters
    end

    # @return [Boolean] whether the step was cancelled, has run out of time, or was taken over; what
    #   the handler returns will not be kept. Learned at the next renewal of the lease.
    def cancelled?
      @cancelled == true
    end

    # Say that this attempt goes on. A step with heartbeat: is tried again when its handler says
    # nothing for so long. May be called as often as you like: it looks at a clock, and writes (one
    # commit) when a third of the step's heartbeat: has passed since it did. Without heartbeat: it
    # never writes.
    #
    # @return [nil]
    # @raise [FencedError] what the handler returns is no longer wanted ({#cancelled?}): let it end
    #   the handler
    def heartbeat
      cancel if @heartbeat&.beat&.fenced?
      return unless cancelled?

      raise FencedError, "attempt #{attempt} of #{step} counts no longer: it was cancelled, ran out of time, " \
                         "or was taken over"
    end

    # @return [String] the same for every attempt of this step of this task
    def idempotency_key
      claim.idempotency_key
    end

    # @return [Integer] grows with every attempt; give it to systems that can refuse older ones
    def fencing_token
      claim.epoch
    end

    # @return [Integer] 1 for the first
    def attempt
      claim.attempt
    end

    # @return [Integer]
    def max_attempts
      claim.max_attempts
    end

    # @return [String] UUID
    def task_id
      claim.task_id
    end

    # @return [String]
    def step
      claim.step
    end

    # @return [String]
    def workflow
      claim.workflow
    end

    # @return [String, nil]
    def correlation_id
      claim.correlation_id
    end

    # @return [Float, nil] seconds until {#deadline}, negative after it
    def time_left
      deadline && (deadline - Time.now)
    end

    # Called by the worker when the step is held no longer.
    #
    # @api private
    def cancel
      @cancelled = true
    end

    # @return [String]
    def inspect
      "#<Stepwell::Context #{workflow}.#{step} attempt #{attempt} of #{task_id}>"
    end

    private

    def upstream(name)
      claim.inputs.find { |input| input.step == name } ||
        raise(KeyError.new(unknown(name), receiver: self, key: name))
    end

    def unknown(name)
      known = claim.inputs.map(&:step)
      "#{step} reads the result of #{name}, but its after: names #{known.empty? ? "no step" : known.join(", ")}"
    end
  end
end
