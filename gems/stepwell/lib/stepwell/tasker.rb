# frozen_string_literal: true

# Tasker's two published readiness rules, for those who move from it and want to see the same answers.
module Stepwell
  class << self
    # Which steps Tasker would find ready: by the rule of its Rails engine, or of tasker-core.
    #
    # Steps are Hashes with the columns of Tasker's tables: state (a name of Tasker's), parents (indices
    # of the steps it depends on), processed, in_process, retryable (default true), attempts, retry_limit
    # (of tasker-core: max_attempts), backoff_request_seconds, last_attempted_at and failed_at (Time; of
    # the current error). What is left out or nil is NULL there. Unlike in Tasker, parents outside of
    # the asked steps count.
    #
    # @param steps [Array<Hash>] all steps of a task
    # @param rule [Symbol] :rails or :core
    # @param now [Time]
    # @param asked [Array<Integer>, nil] indices of the steps to answer for; nil: all
    # @return [Array<TaskerReadiness>] in the order of what was asked
    # @raise [InvalidArgumentError] #row says which
    def tasker_readiness(steps, rule: :core, now: Time.now, asked: nil)
      tasker_readiness_rows(rule, steps.map { |step| tasker_row(**step) }, tasker_us(now), asked)
    end

    private

    def tasker_row(state:, parents: [], processed: false, in_process: false, retryable: true, attempts: nil,
                   retry_limit: nil, max_attempts: nil, backoff_request_seconds: nil, last_attempted_at: nil,
                   failed_at: nil)
      [state, parents, processed, in_process, retryable, attempts, retry_limit || max_attempts,
       backoff_request_seconds, tasker_us(last_attempted_at), tasker_us(failed_at)]
    end

    def tasker_us(time)
      time && (time.to_r * 1_000_000).floor
    end
  end
end
