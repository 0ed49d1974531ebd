# frozen_string_literal: true

require "stepwell/workflow/step"

module Stepwell
  # Base class of workflows: a class declares the steps, its methods handle them.
  #
  # A handler gets a {Context} and returns a value that {Payload} can write. It runs on a new instance
  # of the class, on one of the threads of a {Worker}, and possibly more than once: its outcome is
  # kept once, so what it does to the outside world should use {Context#idempotency_key}.
  #
  # @example
  #   class OrderWorkflow < Stepwell::Workflow
  #     version "1.0.0"
  #
  #     step :validate
  #     step :charge, after: :validate, timeout: 20,
  #                   retries: { attempts: 5, wait: 2, backoff: :exponential, max: 60, jitter: 0.15 },
  #                   discard_on: CardDeclined
  #     step :ship, after: :charge, handler: "warehouse.ship"          # handled in another program
  #     step :note, after: :ship, kind: :create_file,
  #                 parameters: { path: "shipped.txt", content: "yes" } # a built-in kind
  #
  #     def validate(ctx) = { total: ctx.input[:total] }
  #     def charge(ctx)   = Bank.charge(ctx.result(:validate)[:total], key: ctx.idempotency_key)
  #   end
  #
  #   OrderWorkflow.start(total: 42, key: "order-42")
  class Workflow
    class << self
      # Without an argument the name of the class, as always; with one the same as {workflow_name}.
      #
      # @param value [String, nil]
      # @return [String, nil]
      def name(value = nil)
        value ? workflow_name(value) : super()
      end

      # Name of the workflow. By default that of the class: OrderWorkflow is "order",
      # Shop::RefundWorkflow "shop.refund".
      #
      # @param value [String, nil] sets it
      # @return [String]
      # @raise [InvalidArgumentError] an anonymous class has no name
      def workflow_name(value = nil)
        @workflow_name = value.to_s if value
        @workflow_name || name_of_class
      end

      # @param value [String, nil] sets it
      # @return [String] "" when there is none
      def version(value = nil)
        setting(:@version, value&.to_s) || ""
      end

      # @param value [String, nil] sets it
      # @return [String, nil]
      def description(value = nil)
        setting(:@description, value&.to_s)
      end

      # @param value [Integer, nil] sets the greatest number of steps that may run at once
      # @return [Integer, nil]
      def max_parallel(value = nil)
        setting(:@max_parallel, value)
      end

      # @param value [Symbol, nil] sets what a failure means where a step does not say: see {step}
      # @return [Symbol, nil]
      def on_failure(value = nil)
        setting(:@on_failure, value)
      end

      # @param value [Numeric, nil] sets how many seconds a task may take from its submission on; {start}
      #   may say otherwise
      # @return [Numeric, nil]
      def deadline(value = nil)
        setting(:@deadline, value)
      end

      # @param value [Hash, nil] sets the JSON Schema of the input
      # @return [Hash, nil]
      def input_schema(value = nil)
        setting(:@input_schema, value)
      end

      # @param value [Hash, nil] sets data of your own, kept with the definition
      # @return [Hash, nil]
      def metadata(value = nil)
        setting(:@metadata, value)
      end

      # Set a circuit breaker, which steps name: while the service behind it fails, they are not
      # started. Steps of all workflows that name it share it; what is left out is the default.
      #
      # @param name [Symbol, String]
      # @param failures [Integer, nil] in a row that open it (default 5)
      # @param successes [Integer, nil] of probes that close it (default 2)
      # @param probes [Integer, nil] steps that run at a time until then (default 1)
      # @param open [Numeric, nil] seconds before probes start (default 30)
      # @param max_open [Numeric, nil] a failing probe doubles open up to so many seconds (default: open)
      # @return [Symbol] the name
      def breaker(name, failures: nil, successes: nil, probes: nil, open: nil, max_open: nil)
        own_breakers[name.to_s] = {
          "failure_threshold" => failures, "success_threshold" => successes, "probes" => probes,
          "open_ms" => breaker_ms(open, "open"), "max_open_ms" => breaker_ms(max_open, "max_open")
        }.compact
        name.to_sym
      end

      # @return [Hash{String => Hash}] inherited ones first
      # @api private
      def breakers
        superclass.respond_to?(:breakers) ? superclass.breakers.merge(own_breakers) : own_breakers
      end

      # Declare a step. A method of the same name handles it, unless handler: or kind: is given.
      #
      # @param name [Symbol, String]
      # @param after [Symbol, Array<Symbol>, nil] steps that must have succeeded before
      # @param trigger [Symbol, Hash, nil] what of them it waits for: :all_succeeded (default), :all_done,
      #   :any_succeeded, :none_failed, or { quorum: number }
      # @param retries [Integer, Hash, nil] attempts in all (default 1), or attempts:, wait: (seconds
      #   before the second, default 1), backoff: (:none, :linear, :exponential or :fibonacci,
      #   default :exponential), max: (longest wait in seconds, default 60), jitter: (0..1,
      #   default 0.1), crashes: (attempts that may end because their worker was lost, beside those
      #   that fail, default 5; with 0 it never runs again after one)
      # @param timeout [Numeric, nil] seconds for one attempt
      # @param deadline [Numeric, nil] seconds for all attempts and the waits between them, from when
      #   the step first became ready; then it fails with DeadlineExceeded and is not retried
      # @param heartbeat [Numeric, nil] seconds that an attempt may say nothing ({Context#heartbeat})
      #   before it is ended with HeartbeatMissed and retried
      # @param queue [Symbol, String, nil] "default" when absent
      # @param priority [Integer, nil] higher goes first
      # @param on_failure [Symbol, nil] :block (dependents wait for ever, other branches go on),
      #   :skip_dependents (they are skipped, and so are theirs), :fail_task or :continue; the default
      #   is that of the workflow, or else :block
      # @param breaker [Symbol, String, nil] circuit breaker of the service it needs: see {breaker}
      # @param retry_on [Class, Array<Class>, nil] only these exceptions are retried
      # @param discard_on [Class, Array<Class>, nil] these exceptions are never retried
      # @param handler [String, nil] name of a handler of another program, like "billing.charge"
      # @param kind [Symbol, nil] one of {KINDS}
      # @param parameters [Hash, nil] for the kind or the handler, {Context#parameters}
      # @param title [String, nil] for people
      # @param metadata [Hash, nil] data of your own, kept with the definition
      # @return [Symbol] the name
      # @raise [InvalidArgumentError]
      def step(name, after: nil, trigger: nil, retries: nil, timeout: nil, deadline: nil,
               heartbeat: nil, queue: nil, priority: nil, on_failure: nil, breaker: nil, retry_on: nil, discard_on: nil, handler: nil,
               kind: nil, parameters: nil, title: nil, metadata: nil)
        options = { after: after, trigger: trigger, retries: retries, timeout: timeout, deadline: deadline,
                    heartbeat: heartbeat, queue: queue, priority: priority, on_failure: on_failure, breaker: breaker,
                    retry_on: retry_on, discard_on: discard_on,
                    handler: handler, kind: kind, parameters: parameters, title: title, metadata: metadata }
        step = Step.new(name, options)
        raise InvalidArgumentError, "#{self} declares step #{name} twice" if own_steps.key?(step.name)

        own_steps[step.name] = step
        name.to_sym
      end

      # @return [Hash{String => Step}] inherited ones first
      # @api private
      def steps
        superclass.respond_to?(:steps) ? superclass.steps.merge(own_steps) : own_steps
      end

      # @return [Hash{String => Step}] by handler name, without the ones handled elsewhere
      # @api private
      def handlers
        steps.values.select(&:local?).to_h { |step| [step.handler_name(workflow_name), step] }
      end

      # The definition in Stepwell's own form.
      #
      # @return [Hash{String => Object}]
      # @raise [InvalidArgumentError] a step has no method
      def definition
        check_methods
        {
          "stepwell" => 1, "name" => workflow_name, "version" => version, "description" => description,
          "input_schema" => input_schema, "metadata" => metadata, "max_parallel" => max_parallel,
          "on_failure" => on_failure&.to_s, "breakers" => (breakers unless breakers.empty?),
          "deadline_ms" => deadline && (deadline.to_f * 1000).round,
          "steps" => steps.values.map { |step| step.definition(workflow_name) }
        }.compact
      end

      # @return [String] {definition} as JSON
      def definition_json
        Payload.dump(definition)
      end

      # Store the definition; {start} does so too.
      #
      # @param engine [Engine]
      # @return [Definition]
      # @raise [DefinitionError]
      def register(engine: Stepwell.engine)
        engine.register(self)
      end

      # Start a task.
      #
      # @param input [Object, nil] the input; keywords that are not named below are an input too
      # @param engine [Engine]
      # @param key [String, nil] idempotency key: the same key answers the same task
      # @param identity_strategy [Symbol, nil] one of {Identity::STRATEGIES}: :strict makes the input the
      #   key; :caller_provided requires a key; :always_unique forbids one
      # @param priority [Integer, nil] added to the priority of each step
      # @param tags [Array<String>, nil]
      # @param initiator [String, nil] who asked, for the audit log
      # @param reason [String, nil] why, for the audit log
      # @param correlation_id [String, nil] of the request that caused it
      # @param deadline [Numeric, Time, nil] seconds that the task may take, or when it has to have ended;
      #   the default is that of the workflow
      # @param parent [Task, String, nil] the task that starts this one, by which {Engine#list} finds it
      # @return [Task]
      # @raise [PayloadError] the input is not JSON
      # @raise [NotFoundError] there is no such parent
      # @raise [ConflictError] the key is known with another input
      # @raise [InvalidArgumentError] the key does not go with the identity strategy
      def start(input = nil, engine: Stepwell.engine, key: nil, identity_strategy: nil, priority: nil, tags: nil,
                initiator: nil, reason: nil, correlation_id: nil, deadline: nil, parent: nil, **fields)
        unless input.nil? || fields.empty?
          raise ArgumentError, "give the input as one value or as keywords, not both (#{fields.keys.join(", ")})"
        end

        start_many([fields.empty? ? input : fields], keys: [key], engine: engine, identity_strategy: identity_strategy,
                   priority: priority, tags: tags, initiator: initiator, reason: reason,
                   correlation_id: correlation_id, deadline: deadline, parent: parent).first
      end

      # Start many tasks in one transaction: all or none.
      #
      # @param inputs [Array<Object>] the input of each task, 100,000 at most
      # @param keys [Array<String, nil>, nil] idempotency key of each; nil for none
      # @param options [Hash] :version, :priority, :tags, :initiator, :reason, :correlation_id, :deadline
      #   and :parent of all
      # @return [Array<Task>] in the order of the inputs; {Task#created?} says which are new
      # @raise [PayloadError, ConflictError, InvalidArgumentError, LimitError, NotFoundError] as for {start}; of errors of
      #   the engine #row says which input
      def start_many(inputs, keys: nil, engine: Stepwell.engine, identity_strategy: nil, deadline: nil, **options)
        if keys && keys.size != inputs.size
          raise ArgumentError, "#{inputs.size} inputs have #{keys.size} keys"
        end

        engine.register(self)
        shared = { workflow: workflow_name, version: version, **Engine.deadline_row(deadline), **options }.compact
        rows = inputs.each_with_index.map do |input, index|
          { **shared, **Identity.row(input, keys && keys[index], identity_strategy) }.compact
        end
        engine.submit(rows).map { |row| Task.new(engine, row.task_id, created: row.created) }
      end

      private

      def own_steps
        @own_steps ||= {}
      end

      def own_breakers
        @own_breakers ||= {}
      end

      def breaker_ms(seconds, what)
        return nil if seconds.nil?

        number = seconds.to_f if seconds.respond_to?(:to_f) && !seconds.is_a?(String)
        return (number * 1000).round if number&.finite?

        raise InvalidArgumentError, "#{self}: breaker: #{what}: must be seconds, not #{seconds.inspect}"
      end

      # Setting and reading in one; subclasses inherit what they do not set.
      def setting(variable, value)
        instance_variable_set(variable, value) unless value.nil?
        return instance_variable_get(variable) if instance_variable_defined?(variable)

        superclass.send(:setting, variable, nil) if superclass <= Workflow
      end

      def name_of_class
        raise InvalidArgumentError, 'an anonymous workflow class needs workflow_name "..."' unless name

        words = name.delete_suffix("Workflow").delete_suffix("::")
        words = name if words.empty?
        words.gsub("::", ".").gsub(/([A-Z]+)([A-Z][a-z])/, '\1_\2').gsub(/([a-z\d])([A-Z])/, '\1_\2').downcase
      end

      def check_methods
        steps.each_value do |step|
          next unless step.local?

          arity = handler_arity(step.name)
          if arity.nil?
            raise InvalidArgumentError, "#{self} has no method #{step.name} for its step; define it, or give " \
                                        "the step a handler: or a kind:"
          end
          next if [1, -1, -2].include?(arity)

          raise InvalidArgumentError, "#{self}##{step.name} must take one argument, the context"
        end
      end

      # nil when there is none, or only one that every object has, like system.
      def handler_arity(name)
        method = instance_method(name)
        own = ancestors.take_while { |ancestor| ancestor != Workflow }
        method.arity if own.include?(method.owner)
      rescue NameError
        nil
      end
    end

    # Run one step.
    #
    # @param step [String]
    # @param context [Context]
    # @return [Object] what the handler returned
    # @api private
    def self.handle(step, context)
      new.__send__(step, context)
    end
  end
end
