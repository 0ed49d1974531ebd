# frozen_string_literal: true

module Stepwell
  class Worker
    # What executes the steps of one handler name: a method of a workflow class, or any object with
    # call.
    #
    # @api private
    class Handler
      # @param workflow [Class]
      # @return [Hash{String => Handler}] the handlers of a workflow class, by name
      def self.all_of(workflow)
        workflow.definition # finds steps without a method
        workflow.handlers.transform_values do |step|
          new("#{workflow}##{step.name}", ->(context) { workflow.handle(step.name, context) }, step)
        end
      end

      # @param title [String] for messages
      # @param callable [#call] takes a {Context}
      # @param policy [#retry?, nil] which exceptions are retried; nil for all
      def initialize(title, callable, policy = nil)
        raise InvalidArgumentError, "the handler #{title} must respond to call" unless callable.respond_to?(:call)

        @title = title
        @callable = callable
        @policy = policy
      end

      # @param context [Context]
      # @return [Object]
      def call(context)
        @callable.call(context)
      end

      # @param error [Exception]
      # @return [Boolean]
      def retry?(error)
        @policy.nil? || @policy.retry?(error)
      end

      # @return [String]
      def to_s
        @title
      end
    end
  end
end
