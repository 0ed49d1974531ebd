# frozen_string_literal: true

# What every spec needs: the library (in place, or as installed when STEPWELL_INSTALLED is set),
# engines that close themselves, and Ruby processes that cannot be left behind.

require "fileutils"
require "json"
require "open3"
require "pathname"
require "rbconfig"
require "set"
require "stringio"
require "timeout"
require "tmpdir"

ROOT = File.expand_path("..", __dir__)
LIBRARY = File.join(ROOT, "gems/stepwell/lib")
$LOAD_PATH.unshift(LIBRARY) unless ENV["STEPWELL_INSTALLED"]

require "stepwell"

STORES = %i[memory sqlite].freeze

module EngineHelp
  # @return [Stepwell::Engine] closed after the example
  def open_engine(store = :memory, **options)
    place = store == :memory ? "memory:" : File.join(directory, "#{store}.db")
    engine = Stepwell::Engine.open(place, **options)
    engines << engine
    engine
  end

  # A folder of this example, removed after it.
  def directory
    @directory ||= Dir.mktmpdir("stepwell-spec")
  end

  def engines
    @engines ||= []
  end

  # A definition with the given steps: { "a" => {}, "b" => { "after" => ["a"] } }.
  def definition(steps, name: "w", **rest)
    { "stepwell" => 1, "name" => name, "steps" => steps.map { |step, more| { "name" => step, **more } },
      **rest.transform_keys(&:to_s) }
  end

  # Register a workflow and submit one task of it.
  def submit(engine, steps = { "a" => {} }, **row)
    engine.register(definition(steps))
    engine.submit([{ workflow: "w", **row }]).first.task_id
  end

  # @return [Array<Stepwell::Claim>] claimed by a new worker
  def claim(engine, *handlers, count: 10, **options)
    handlers = ["w.a"] if handlers.empty?
    @worker_id = engine.worker_open(handlers: handlers, lease_ms: 60_000, **options)
    engine.exchange(@worker_id, [], count, 0).claims
  end
end

module ProcessHelp
  # Start a Ruby process with the library loaded; killed after the example when it still runs.
  def start_ruby(script, *arguments)
    options = ENV["STEPWELL_INSTALLED"] ? [] : ["-I", LIBRARY]
    pid = Process.spawn(RbConfig.ruby, *options, "-rstepwell", "-e", script, *arguments)
    processes << pid
    pid
  end

  # @return [Process::Status]
  def end_of(pid, seconds: 30)
    Timeout.timeout(seconds) { Process.wait2(pid).last }.tap { processes.delete(pid) }
  end

  def processes
    @processes ||= []
  end

  # Wait until the block is true.
  def eventually(seconds: 15)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    until (value = yield)
      raise "did not happen within #{seconds} s" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep 0.01
    end
    value
  end
end

RSpec.configure do |config|
  config.include EngineHelp
  config.include ProcessHelp
  config.disable_monkey_patching!
  config.order = :random
  Kernel.srand config.seed

  config.around do |example|
    Timeout.timeout(example.metadata.fetch(:limit, 120)) { example.run }
  end

  config.after do
    processes.each do |pid|
      Process.kill(:KILL, pid)
      Process.wait(pid)
    rescue Errno::ESRCH, Errno::ECHILD
      nil
    end
    engines.each(&:close)
    FileUtils.remove_entry(@directory) if @directory
  end
end
