# frozen_string_literal: true

module Stepwell
  # What the handler of a step with heartbeat: says while it goes on, and how often it is written.
  # Not here: what follows when it says nothing, which is the engine's business.
  #
  # @api private
  class Heartbeat
    # Of the time that an attempt may be silent: a write may be lost, and another one late.
    PARTS = 3
    # The store may recover from these before the attempt counts as silent.
    PASSING = [BusyError, StorageError, StorageFullError, NoMemoryError].freeze
    private_constant :PARTS, :PASSING

    # @param engine [Engine]
    # @param claim [Claim] of a step with a heartbeat_ms
    def initialize(engine, claim)
      @engine = engine
      @hold = [claim.step_id, claim.epoch]
      @pause = claim.heartbeat_ms / 1000.0 / PARTS
      @due = now + @pause
    end

    # Write when it is time. The next time is a third of the heartbeat later, whatever comes of it.
    # Threads of a handler may call it at once: at worst one write more is made.
    #
    # @return [Applied, nil] what the engine answers; nil when it was not asked, or could not be
    def beat
      time = now
      return if time < @due

      @due = time + @pause
      @engine.heartbeat([@hold]).first
    rescue *PASSING
      nil
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
