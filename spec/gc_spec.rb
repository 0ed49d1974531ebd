# frozen_string_literal: true

require_relative "spec_helper"

# The extension under a garbage collector that runs at every chance, moves objects, and frees
# engines in any order. Each script runs in a process of its own.
RSpec.describe "garbage collection" do
  # What every script uses: a task through submit, claim, failure, retry, success, audit.
  journey = <<~'RUBY'
    require "stringio"
    require "tmpdir"
    TEXT = '{"stepwell":1,"name":"w","steps":[{"name":"a","retry":{"max_attempts":2,"base_ms":0}},{"name":"b","after":["a"]}]}'
    def journey(engine, round)
      engine.register_text(TEXT)
      id = engine.submit([{ workflow: "w", input_json: "{\"n\":#{round}}", key: "k#{round}", tags: ["t", "u"] }]).first.task_id
      worker = engine.worker_open(handlers: %w[w.a w.b], name: "n")
      row = engine.exchange(worker, [], 5, 0).claims.first
      engine.update_batch([[row.step_id, row.epoch, :failed, nil, "E", "m", "d"]])
      row = engine.exchange(worker, [], 5, 1000).claims.first
      row = engine.exchange(worker, [[row.step_id, row.epoch, :succeeded, "[1,\"#{"x" * 50}\"]"]], 5, 0).claims.first
      raise "wrong input" unless row.inputs.first.result.first == 1 && row.input["n"] == round
      engine.exchange(worker, [[row.step_id, row.epoch, :succeeded]], 5, 0)
      found = engine.wait(id, 1000)
      raise "not done" unless found.state == :succeeded && found.steps.map(&:name) == %w[a b]
      begin
        engine.register_text('{"stepwell":1,"name":"w","steps":[{"name":"a","after":["z"]}]}')
      rescue Stepwell::DefinitionError => error
        raise "no findings" if error.findings.empty?
      end
      begin
        engine.update_batch([[row.step_id, row.epoch, :succeeded], [1]])
      rescue Stepwell::InvalidArgumentError => error
        raise "wrong row" unless error.row == 1
      end
      engine.explain(id)
      engine.task_context([id])
      engine.step_readiness(id)
      engine.override([[1, :ready, "ann", "why"]], :partial)
      engine.breakers.each(&:inspect)
      begin
        engine.open_breaker("none", actor: "ann", reason: "why")
      rescue Stepwell::NotFoundError => error
        raise "wrong row" unless error.row == 0
      end
      engine.dead_letters(workflow: "w").each(&:inspect)
      engine.count_dead_letters(error_class: "E")
      engine.retry_dead_letters(actor: "ann", reason: "why", handler: "none")
      engine.picture(id, critical: true, title: "t" * 40)
      engine.gantt(id, format: :text, title: "t" * 40)
      engine.forecast(id, workers: 3, resources: [[1, [:a, "b"]]]).steps.each(&:name)
      engine.list(workflow: "w", tag: "t").each(&:tags)
      engine.audit_task(id)
      engine.audit_list(1, 50)
      engine.audit.entries(task_id: id, limit: 5).map(&:kind).to_a
      engine.erase("ann", actor: "eve", reason: "why", dry_run: true).task_count
      engine.audit.stats(outcome: :succeeded).kinds.each(&:count)
      engine.audit.dump(StringIO.new, format: :csv)
      engine.worker_list
      engine.worker_renew(worker, [[1, 2]])
      engine.worker_close(worker)
      engine.prune(older_than: -60, workflow: "w", states: [:succeeded, "failed"], limit: 1, actor: "ann", reason: "why")
      engine.audit_verify
      folder = Dir.mktmpdir
      secret = File.join(folder, "key")
      key = Stepwell::Audit.keygen("example.com/w", signer: secret)
      early = engine.audit.seal(signer: secret)
      engine.worker_close(engine.worker_open(handlers: ["w.c"]))
      sealed = engine.audit.seal(signer: secret)
      raise "not signed" unless engine.audit.verify(checkpoints: [early, sealed], vkeys: key).level == :signed
      Stepwell::Audit.check(engine.audit.prove(1, 2, checkpoint: sealed).last, vkeys: key).entry.kind
      Stepwell::Audit.check(engine.audit.prove_consistency(early, sealed), vkeys: key, checkpoints: early)
      begin
        Stepwell::Audit.verify_export(folder, vkeys: key, checkpoints: [early])
      rescue Stepwell::NotFoundError
        FileUtils.remove_entry(folder)
      end
      engine.info
    end
  RUBY

  def passes(script)
    output, status = Open3.capture2e(RbConfig.ruby, "-I", LIBRARY, "-rstepwell", "-e", script)
    expect(status).to be_success, output
    output
  end

  it "is survived under GC.stress" do
    passes(journey + <<~'RUBY')
      engine = Stepwell::Engine.new("memory:")
      journey(engine, 0)
      GC.stress = true
      journey(engine, 1)
    RUBY
  end

  it "is survived by graphs under GC.stress" do
    passes(<<~'RUBY')
      GC.stress = true
      graph = Stepwell::Graph.new({ "b" => ["a"], "c" => %w[a b], "d" => [] }, nodes: ["a"])
      answer = graph.analyze(duration: { "a" => 1.5 })
      raise "wrong" unless graph.order == %w[a b d c] || graph.order.first == "a"
      raise "wrong" unless answer.impact["a"] == %w[b c] && answer.redundant == [%w[a c]]
      graph.makespan(workers: 1, resources: { cpu: [1, { "a" => 1 }] })
      graph.diff(Stepwell::Graph.new([%w[a x]]))
      raise "wrong" unless graph.to_svg(title: "t" * 40, slack: true).end_with?("</svg>\n")
      Stepwell::Graph.new([%i[a b], [:b, :c]]).to_text(duration: { a: 2 }, critical: true)
      edit = graph.edit.insert([%w[c e]])
      raise "wrong" unless edit.finish.nodes == %w[a b c d e]
      [[%w[a b], %w[a b]], [%w[a b], ["a", 1]]].each do |edges|
        Stepwell::Graph.new(edges)
      rescue Stepwell::InvalidArgumentError, TypeError => error
        raise "wrong" if error.message.empty?
      end
      Stepwell::Graph.of('{"stepwell":1,"name":"w","steps":[{"name":"a"},{"name":"b","after":["a"]}]}').order
      Stepwell::Graph.new([[20, 10], [10, 30]]).cycles
      Stepwell::Graph.new([[0, 1].pack("l*"), [1, 2].pack("l*")]).common([2])
    RUBY
  end

  it "is survived by a whole worker under GC.stress" do
    passes(<<~'RUBY')
      class DiamondWorkflow < Stepwell::Workflow
        step :top
        step :left, after: :top
        step :right, after: :top
        step :bottom, after: %i[left right]
        def top(ctx) = ctx.input[:n]
        def left(ctx) = { "l" => ctx.result(:top) }
        def right(ctx) = raise("x")
        def bottom(ctx) = 1
      end
      engine = Stepwell::Engine.open("memory:")
      GC.stress = true
      task = DiamondWorkflow.start(engine: engine, n: 1)
      Stepwell::Worker.new(engine: engine, workflows: [DiamondWorkflow], threads: 2).run(until: task)
      GC.stress = false
      raise task.inspect unless task.failed? && task.result(:left) == { "l" => 1 }
    RUBY
  end

  it "may move objects" do
    skip "this Ruby does not move objects" unless GC.respond_to?(:verify_compaction_references)
    passes(journey + <<~'RUBY')
      engine = Stepwell::Engine.new("memory:")
      kept = []
      GC.auto_compact = true
      3.times do |round|
        journey(engine, round)
        kept << engine.list << engine.audit_list(1, 100)
        begin
          GC.verify_compaction_references(toward: :empty, double_heap: true)
        rescue NotImplementedError, ArgumentError
          GC.compact
        end
      end
      raise "rows changed" unless kept.flatten.all? { |row| row.frozen? && row.to_a.size > 3 }
    RUBY
  end

  it "frees engines that nobody closed, in any order, and at the end of the process" do
    passes(journey + <<~'RUBY')
      50.times { |round| journey(Stepwell::Engine.new("memory:"), round) }
      GC.start
      left = ObjectSpace.each_object(Stepwell::Engine).count
      raise "#{left} engines left" if left > 5
      $kept = Stepwell::Engine.new("memory:")
      at_exit { journey($kept, 99) }
    RUBY
  end

  it "does not leak" do
    output = passes(journey + <<~'RUBY')
      def resident = File.read("/proc/self/statm").split[1].to_i * 4096
      round = 0
      run = lambda do |count|
        count.times do
          Stepwell::Engine.open("memory:") { |engine| journey(engine, round += 1) }
          GC.start if round % 50 == 0
        end
        resident
      end
      run.call(200)
      before = resident
      after = run.call(400)
      puts (after - before) / 400
    RUBY
    expect(output.to_i).to be < 4096 # bytes of a whole engine's life with a task in it
  end

  it "gives the memory of rows back when a row in the middle is wrong" do
    passes(<<~'RUBY')
      engine = Stepwell::Engine.new("memory:")
      rows = Array.new(1000) { |i| [i, 1, :succeeded, "x" * 100] } + [[1, 1, :no_such_outcome]]
      def resident = File.read("/proc/self/statm").split[1].to_i * 4096
      attempt = proc do
        engine.update_batch(rows)
      rescue Stepwell::InvalidArgumentError => error
        raise "wrong row" unless error.row == 1000
      end
      200.times(&attempt)
      before = resident
      2000.times(&attempt) # takes 400 MB in all
      grown = resident - before
      raise "grew by #{grown}" if grown > 100_000_000
    RUBY
  end
end
