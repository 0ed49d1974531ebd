# frozen_string_literal: true

module Stepwell
  class Worker
    # Stops the workers that still run when the process ends, so that their steps are released. Ruby
    # would end their threads in the middle of handlers, which looks like handlers that failed.
    #
    # @api private
    module Exit
      @lock = Mutex.new
      @running = []
      @hooked = false

      class << self
        # @param worker [Worker]
        # @return [void]
        def watch(worker)
          @lock.synchronize do
            at_exit { stop_all } unless @hooked
            @hooked = true
            @running << worker
          end
        end

        # @param worker [Worker]
        # @return [void]
        def forget(worker)
          @lock.synchronize { @running.delete(worker) }
        end

        private

        # In a forked child the parent's workers do not run, and stopping them does nothing.
        def stop_all
          @lock.synchronize { @running.dup }.each { |worker| worker.stop(grace: 0) }
        end
      end
    end
  end
end
