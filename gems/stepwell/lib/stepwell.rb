# frozen_string_literal: true

# Entry point of the gem: loads the extension and the Ruby layer, and keeps the default engine.
#
# Requiring it starts no thread, opens no file and adds nothing to core classes.

require "json"

require "stepwell/version"
require "stepwell/stepwell"
require "stepwell/errors"
require "stepwell/document"
require "stepwell/payload"
require "stepwell/identity"
require "stepwell/rows"
require "stepwell/operations"
require "stepwell/dead_letters"
require "stepwell/breakers"
require "stepwell/events"
require "stepwell/tasker"
require "stepwell/pictures"
require "stepwell/engine"
require "stepwell/graph"
require "stepwell/task"
require "stepwell/audit"
require "stepwell/task_file"
require "stepwell/projection"
require "stepwell/heartbeat"
require "stepwell/context"
require "stepwell/workflow"
require "stepwell/worker"

# Durable workflows: steps that depend on each other, handled in Ruby, in Python or by built-in
# kinds, kept in one SQLite file.
#
# @example
#   class GreetWorkflow < Stepwell::Workflow
#     step :ask
#     step :answer, after: :ask
#
#     def ask(ctx) = { "name" => ctx.input[:name] }
#     def answer(ctx) = "Hello #{ctx.result(:ask)[:name]}"
#   end
#
#   Stepwell.configure("greetings.db")
#   task = GreetWorkflow.start(name: "Ada")
#   Stepwell::Worker.new(workflows: [GreetWorkflow]).run(until: task)
#   task.result(:answer) # => "Hello Ada"
module Stepwell
  @settings = nil
  @engine = nil
  @engine_pid = nil
  @engine_lock = Mutex.new

  class << self
    # Say which store {engine} opens. Nothing is opened yet; an engine that was open is closed.
    #
    # @param store [String, #to_path] a path, "sqlite:///path" or "memory:"
    # @param options [Hash] as for {Engine.open}
    # @return [void]
    def configure(store, **options)
      @engine_lock.synchronize do
        @engine.close if @engine && @engine_pid == Process.pid
        @engine = nil
        @settings = [store, options]
      end
      nil
    end

    # The default engine of this process, opened on first use. A forked child opens its own, except
    # on "memory:", which lives and dies with one process.
    #
    # @return [Engine]
    # @raise [InvalidArgumentError] when {configure} was not called
    # @raise [ForkedEngineError] in a child, when the store is "memory:"
    def engine
      @engine_lock.synchronize do
        return @engine if @engine && @engine_pid == Process.pid && !@engine.closed?
        raise InvalidArgumentError, 'no engine; call Stepwell.configure("file.db") first' unless @settings

        open_engine
      end
    end

    private

    def open_engine
      store, options = @settings
      if @engine && @engine_pid != Process.pid && store.to_s == "memory:"
        raise ForkedEngineError, "the memory store of the parent cannot be reached from a forked child"
      end

      @engine = Engine.open(store, **options)
      @engine_pid = Process.pid
      @engine
    end
  end
end
