# frozen_string_literal: true

module Stepwell
  class Worker
    # The thread that tells contexts of steps that are held no longer, and has hung handlers replaced.
    # The lease does not depend on it: {Engine#worker_keep} renews it while a handler keeps this thread
    # from running.
    #
    # @api private
    class Renewal
      # @param worker [Worker]
      # @param lease [Numeric] seconds
      def initialize(worker, lease)
        @worker = worker
        @interval = lease / 3.0
        @lock = Mutex.new
        @ended = ConditionVariable.new
        @stopped = false
      end

      # @return [self]
      def start
        @thread = Thread.new do
          Thread.current.name = "stepwell lease"
          Thread.current.report_on_exception = false
          work
        end
        self
      end

      # @return [void]
      def stop
        @lock.synchronize do
          @stopped = true
          @ended.broadcast
        end
        @thread.join
      end

      private

      def work
        renew until pause
      rescue StandardError => e # an engine out of order, or a mistake here
        @worker.fail(e)
      end

      # A little less than the interval, so that many workers do not renew at one time.
      #
      # @return [Boolean] whether to end
      def pause
        @lock.synchronize do
          @ended.wait(@lock, @interval * (0.9 + (rand * 0.1))) unless @stopped
          @stopped
        end
      end

      def renew
        attempts = @worker.attempts
        lost = @worker.renew(attempts.map(&:hold)).to_h { |hold| [hold, true] }
        attempts.each { |attempt| lose(attempt) if lost.key?(attempt.hold) }
        @worker.replace_hung(now - @interval)
      rescue *FATAL
        raise
      rescue Error, NoMemoryError => e
        @worker.log(:warn, e)
      end

      def lose(attempt)
        attempt.lost_at ||= now
        attempt.context.cancel
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
