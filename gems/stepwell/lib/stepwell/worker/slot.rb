# frozen_string_literal: true

module Stepwell
  class Worker
    # One thread of a worker: in a loop it reports what it did and claims the next steps, in one
    # exchange, and runs them. Interrupts reach it inside handlers and while it waits, never between
    # a claim and the note that it is held.
    #
    # @api private
    class Slot
      # Seconds between tries of an exchange that failed; doubled each time.
      FIRST_PAUSE = 0.05
      LONGEST_PAUSE = 5.0
      private_constant :FIRST_PAUSE, :LONGEST_PAUSE

      # @param worker [Worker]
      def initialize(worker)
        @worker = worker
        @attempts = []
        @abandoned = false
        @thread = nil
      end

      # @return [self]
      def start
        @thread = Thread.new do
          Thread.current.name = "stepwell"
          Thread.current.report_on_exception = false
          Thread.handle_interrupt(Object => :on_blocking) { work }
        end
        self
      end

      # @return [Boolean]
      def alive?
        @thread.alive?
      end

      # @return [Array<Attempt>] held steps; a copy, for other threads
      def attempts
        @attempts.dup
      end

      # Take no further steps: another thread is in this one's place.
      #
      # @return [void]
      def abandon
        @abandoned = true
      end

      # End the thread wherever it is.
      #
      # @return [void]
      def kill
        @attempts.each { |attempt| attempt.context.cancel }
        @thread.kill
        @thread.join(1)
      end

      private

      def work
        exchange { |attempt| leaving? ? attempt.release : attempt.run } until finished?
      rescue StandardError => e # handlers cannot cause it: an engine out of order, or a mistake here
        @worker.fail(e)
      ensure
        # A handler may have ended this thread; what it left behind is reported all the same.
        report_rest
        @worker.left(self, abandoned: @abandoned)
      end

      def leaving?
        @abandoned || @worker.stopping?
      end

      def finished?
        leaving? && @attempts.empty?
      end

      def exchange(&block)
        pause = FIRST_PAUSE
        until (claims = try_exchange)
          @worker.rest(pause)
          pause = [pause * 2, LONGEST_PAUSE].min
        end
        @attempts = claims.map { |claim| @worker.attempt(claim) }
        @attempts.each(&block)
      end

      # @return [Array<Claim>, nil] nil when it is to be tried again
      def try_exchange
        rows = @attempts.map(&:outcome)
        claims = leaving? ? @worker.report(rows) : @worker.exchange(rows)
        @attempts = [] if claims
        claims
      rescue *FATAL
        raise
      rescue Error, NoMemoryError => e
        @worker.log(:warn, e)
        refuse(e)
        nil
      end

      # A row that the engine cannot take becomes the failure of its step. When that is refused too,
      # the step does not exist any more.
      def refuse(error)
        attempt = error.is_a?(Error) && error.row ? @attempts[error.row] : nil
        return unless attempt

        attempt.refused? ? @attempts.delete(attempt) : attempt.refuse(error)
      end

      def report_rest
        return if @attempts.empty? || @worker.closed?

        @attempts.each { |attempt| attempt.outcome || attempt.release }
        @worker.report(@attempts.map(&:outcome))
        @attempts = []
      rescue Error => e
        @worker.log(:error, e)
      end
    end
  end
end
