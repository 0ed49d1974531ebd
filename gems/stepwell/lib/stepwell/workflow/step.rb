# frozen_string_literal: true

module Stepwell
  class Workflow
    # One step as a workflow class declares it: its part of the definition, and what the worker needs
    # to know about its exceptions. Durations are seconds here and milliseconds in the definition.
    #
    # @api private
    class Step
      RETRY_KEYS = %i[attempts crashes wait backoff max jitter].freeze
      private_constant :RETRY_KEYS

      # @return [String]
      attr_reader :name
      # @return [String, nil] handler of another program
      attr_reader :handler
      # @return [Symbol, String, nil] built-in kind
      attr_reader :kind

      def initialize(name, options)
        @name = name.to_s
        @handler = options[:handler]
        @kind = options[:kind]
        @retry_on = exceptions(options[:retry_on], "retry_on")
        @discard_on = exceptions(options[:discard_on], "discard_on")
        @retries = retries(options[:retries])
        @timeout_ms = milliseconds(options[:timeout], "timeout")
        @deadline_ms = milliseconds(options[:deadline], "deadline")
        @heartbeat_ms = milliseconds(options[:heartbeat], "heartbeat")
        @trigger = trigger(options[:trigger])
        @options = options
        check
      end

      # Whether a method of the workflow class handles it.
      def local?
        handler.nil? && kind.nil?
      end

      # @param workflow_name [String]
      # @return [String] name of the handler in the store
      def handler_name(workflow_name)
        (handler || kind || "#{workflow_name}.#{name}").to_s
      end

      # @param workflow_name [String]
      # @return [Hash{String => Object}] for the definition
      def definition(workflow_name)
        {
          "name" => name, "handler" => handler_name(workflow_name),
          "title" => @options[:title], "queue" => @options[:queue]&.to_s, "priority" => @options[:priority],
          "breaker" => @options[:breaker]&.to_s,
          "after" => after, "trigger" => @trigger, "timeout_ms" => @timeout_ms,
          "deadline_ms" => @deadline_ms, "heartbeat_ms" => @heartbeat_ms,
          "on_failure" => @options[:on_failure]&.to_s, "retry" => @retries,
          "parameters" => @options[:parameters], "metadata" => @options[:metadata]
        }.compact
      end

      # @param error [Exception] raised by the handler
      # @return [Boolean] whether another attempt may help
      def retry?(error)
        return false if @discard_on.any? { |type| type === error }

        @retry_on.empty? || @retry_on.any? { |type| type === error }
      end

      private

      def after
        names = Array(@options[:after]).map(&:to_s)
        names unless names.empty?
      end

      # The name of a rule, or { quorum: number }; which names there are is the engine's business.
      def trigger(value)
        case value
        when nil then nil
        when Symbol, String then value.to_s
        when Hash then value.transform_keys(&:to_s)
        else refuse("trigger: must be the name of a rule or { quorum: number }, not #{value.inspect}")
        end
      end

      def check
        refuse("has both handler: and kind:") if handler && kind
        refuse("has retry_on: but no retries:; say how many attempts it has") if @retry_on.any? && @retries.nil?
        return if local? || (@retry_on.empty? && @discard_on.empty?)

        refuse("is handled elsewhere, where retry_on: and discard_on: mean nothing")
      end

      def retries(value)
        return nil if value.nil?

        value = { attempts: value } if value.is_a?(Integer)
        refuse("retries: must be an Integer or a Hash, not #{value.class}") unless value.is_a?(Hash)
        unknown = value.keys - RETRY_KEYS
        refuse("retries: has no #{unknown.first.inspect}; it takes #{RETRY_KEYS.join(", ")}") if unknown.any?
        {
          "max_attempts" => value[:attempts], "max_crashes" => value[:crashes], "backoff" => value[:backoff]&.to_s,
          "base_ms" => milliseconds(value[:wait], "wait"), "max_ms" => milliseconds(value[:max], "max"),
          "jitter" => value[:jitter]
        }.compact
      end

      # Accepts everything that can be turned into a Float but Strings: 2, 0.5, 2.minutes.
      def milliseconds(seconds, what)
        return nil if seconds.nil?

        refuse("#{what}: must be seconds, not #{seconds.inspect}") unless seconds.respond_to?(:to_f)
        refuse("#{what}: must be seconds, not a String") if seconds.is_a?(String)
        number = seconds.to_f
        refuse("#{what}: must be finite") unless number.finite?
        (number * 1000).round
      end

      def exceptions(types, what)
        types = Array(types)
        wrong = types.find { |type| !type.is_a?(Module) }
        refuse("#{what}: takes exception classes, not #{wrong.inspect}") if wrong
        types
      end

      def refuse(message)
        raise InvalidArgumentError, "step #{name} #{message}"
      end
    end
  end
end
