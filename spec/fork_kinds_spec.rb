# frozen_string_literal: true

require_relative "spec_helper"

# The ways in which Ruby programs come to be several processes, with an engine open in the first. The
# programs run beside the examples, so that one that hangs is noticed and killed; what a single call
# answers in a child is in fork_spec.rb.
RSpec.describe "kinds of forks" do
  workflow = <<~'RUBY'
    class PairWorkflow < Stepwell::Workflow
      step :first
      step :second, after: :first

      def first(_) = Process.pid
      def second(ctx) = [ctx.result(:first), Process.pid]
    end
  RUBY

  # A worker with four threads, and children of many kinds meanwhile: several at a time, each with
  # ten seconds to live.
  under_load = workflow + <<~'RUBY'
    PATH, FORKS = ARGV
    AT_ONCE = 5
    Stepwell.configure(PATH)
    engine = Stepwell.engine
    worker = Stepwell::Worker.new(workflows: [PairWorkflow], threads: 4).start
    stop = false
    client = Thread.new do
      tasks = []
      tasks << PairWorkflow.start && sleep(0.002) until stop
      tasks
    end

    lives = {
      leave: -> { Process.exit!(0) },
      exit: -> { exit(0) },
      give_up: -> { engine.close; GC.start; Process.exit!(engine.closed?) },
      refused: lambda do
        engine.info
        Process.exit!(1)
      rescue Stepwell::ForkedEngineError
        Process.exit!(worker.running? ? 1 : 0)
      end,
      own: -> { PairWorkflow.start(key: "child-#{Process.pid}"); exit(0) },
      cut_short: -> { PairWorkflow.start; Process.kill(:KILL, Process.pid) },
      collect: -> { GC.start; GC.compact if GC.respond_to?(:compact); exit(0) },
      parent: -> { Process.exit!(Process.wait2(fork { Stepwell.engine.info }).last.success?) },
      another: -> { exec("true") },
      command: -> { Process.exit!(system("true")) }
    }

    def reap(pid, name)
      status = Timeout.timeout(10) { Process.wait2(pid).last }
      abort "#{name}: #{status}" unless status.success? || (name == :cut_short && status.termsig == 9)
    rescue Timeout::Error
      Process.kill(:KILL, pid)
      abort "#{name}: hangs"
    end

    require "timeout"
    children = []
    lives.cycle.take(Integer(FORKS)).each do |name, life|
      children << [fork(&life), name]
      reap(*children.shift) if children.size > AT_ONCE
      abort "system: #{$?}" unless system("true")
    end
    children.each { |pid, name| reap(pid, name) }
    stop = true
    tasks = client.value
    tasks.each { |task| task.wait(timeout: 60) }
    abort "nothing was done meanwhile" if tasks.size < 50
    known = tasks.to_h { |task| [task.id, true] }
    own = engine.tasks(limit: 10_000).reject { |task| known[task.id] }
    own.each { |task| task.wait(timeout: 60) }
    expected = lives.keys.cycle.take(Integer(FORKS)).count { |name| %i[own cut_short].include?(name) }
    abort "#{own.size} tasks of children, not #{expected}" unless own.size == expected
    wrong = (tasks + own).reject { |task| task.succeeded? && task.result(:second) == [Process.pid] * 2 }
    abort "not done here: #{wrong.first.inspect}" unless wrong.empty?
    worker.stop
    engine.close
  RUBY

  # The application is loaded and its engine used before the children are made, as preloading servers
  # do. The parent never works; each child has a worker on the default engine.
  preforking = workflow + <<~'RUBY'
    Stepwell.configure(ARGV[0])
    before = PairWorkflow.start
    children = Array.new(3) do
      fork do
        abort "inherited" if before.reload.succeeded?
      rescue Stepwell::ForkedEngineError
        Stepwell::Worker.new(workflows: [PairWorkflow], threads: 2).run
        Stepwell.engine.close
        exit(5)
      end
    end
    tasks = [before] + Array.new(40) { PairWorkflow.start }
    tasks.each { |task| task.wait(timeout: 60) }
    done_by = tasks.flat_map { |task| task.result(:second) }.uniq
    abort "done by #{done_by}, not by #{children}" unless (done_by - children).empty?
    # One that the engine knows hears SIGTERM; the process of one that starts dies of it.
    sleep(0.01) until Stepwell.engine.worker_list.count(&:alive) == 3
    children.each { |pid| Process.kill(:TERM, pid) }
    statuses = children.map { |pid| Process.wait2(pid).last.exitstatus }
    abort "statuses #{statuses}" unless statuses == [5, 5, 5]
    abort "workers are left" unless Stepwell.engine.worker_list.empty?
  RUBY

  # Handlers that start processes in every way there is, while others are inside the engine.
  handlers = <<~'RUBY'
    class ProcessWorkflow < Stepwell::Workflow
      WAYS = {
        system: -> { system("exit 3") || $?.exitstatus },
        backticks: -> { `echo 3`.to_i },
        popen: -> { IO.popen(%w[echo 3], &:read).to_i },
        spawn: -> { Process.wait2(Process.spawn("exit 3")).last.exitstatus },
        fork: -> { Process.wait2(fork { Process.exit!(3) }).last.exitstatus },
        fork_popen: -> { IO.popen("-") { |io| io ? io.read.to_i : (puts 3; $stdout.flush; Process.exit!(0)) } }
      }.freeze
      WAYS.each do |name, way|
        step name
        define_method(name) { |_| way.call }
      end
    end
    Stepwell.configure(ARGV[0])
    worker = Stepwell::Worker.new(workflows: [ProcessWorkflow], threads: 4).start
    tasks = Array.new(10) { ProcessWorkflow.start }
    tasks.each { |task| task.wait(timeout: 60) }
    found = tasks.flat_map { |task| task.steps.map { |step| [step.state, step.result, step.attempt] } }.uniq
    abort found.inspect unless found == [[:succeeded, 3, 1]]
    worker.stop
    Stepwell.engine.close
  RUBY

  let(:path) { File.join(directory, "forks.db") }

  def finish(program, *arguments, seconds: 100)
    expect(end_of(start_ruby(program, path, *arguments), seconds: seconds)).to be_success
    Stepwell::Engine.open(path) { |engine| expect(engine.audit_verify.ok).to be(true) }
  end

  it "leave a working parent and all of its children in order" do
    finish(under_load, "200")
  end

  it "include servers that load first and fork then" do
    finish(preforking)
  end

  it "are at hand inside of handlers" do
    finish(handlers)
  end
end
