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
      engine.heartbeat([[row.step_id, row.epoch]])
      engine.worker_close(worker)
      file = engine.task(id).export
      file.open(at_entry: engine.task(id).history.last.entry_no) { |copy| copy.tasks.first.steps.each(&:name) }
      file.verify.message
      file.task.history
      begin
        Stepwell::TaskFile.new("{}", source: "x").task
      rescue Stepwell::InvalidArgumentError
        file.text
      end
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
      signature = Stepwell::Audit.sign_report(engine.audit.report(checkpoints: sealed, vkeys: key, format: :html), signer: secret)
      raise "not signed" unless signature.name == key.name && Stepwell::Audit.controls.size > 40
      Stepwell::Audit.check(engine.audit.prove_consistency(early, sealed), vkeys: key, checkpoints: early)
      begin
        engine.audit.seal(signer: secret + "2") { raise "not reached" }
      rescue Stepwell::NotFoundError
        Stepwell::Audit.enrol(key, signer: secret + "2")
      end
      begin
        engine.audit.seal(signer: secret + "2") { |message| message + "x" * 99 }
      rescue Stepwell::InvalidArgumentError
        engine.audit.rotate(signer: secret, next_signer: secret + "3").checkpoint.note
      end
      anchor = engine.audit.anchor_put("file:#{secret}.far", checkpoint: sealed, vkeys: key)
      raise "not anchored" unless engine.audit.verify(anchors: [anchor, anchor.place], vkeys: key).level == :anchored
      engine.audit.export(folder + "/public", checkpoint: sealed)
      Stepwell::Audit.prove_export(folder + "/public", 1, 2, checkpoint: sealed).each(&:text)
      Stepwell::Audit.prove_export_consistency(folder + "/public", early).text
      begin
        Stepwell::Audit.verify_export(folder, vkeys: key, checkpoints: [early])
      rescue Stepwell::NotFoundError
        FileUtils.remove_entry(folder)
      end
      engine.info
    end
  RUBY

  # The same for events and projections.
  told = <<~'RUBY'
    class Counting < Stepwell::Projection
      projection_name "p"
      on("order.shipped") { |state, event| state["n"] = state.fetch("n", 0) + event.data["n"] }
    end
    def told(engine, round)
      engine.register_text('{"stepwell":1,"name":"told","steps":[{"name":"a"}]}')
      id = engine.submit([{ workflow: "told" }]).first.task_id
      shipped = engine.append_event(id, "order.shipped", { "n" => round }, key: "s#{round}", step: :a, actor: "ann", reason: "why")
      raise "wrong status" unless engine.append_events([[id, "order.shipped", { "n" => round }, { key: "s#{round}" }]], mode: :partial).first.duplicate?
      begin
        engine.append_event(id, "late", expected_version: shipped.position - 1)
      rescue Stepwell::VersionConflictError => error
        raise "wrong version" unless error.version == shipped.version
      end
      raise "wrong data" unless engine.events(task: id, types: "order.shipped").first.data["n"] == round
      engine.event_wait(shipped.position, 1)
      raise "wrong past" unless engine.event_replay(id, shipped.position).steps.map(&:state) == %i[ready]
      sum = engine.events(types: "order.shipped").sum { |event| event.data["n"] }
      raise "wrong fold" unless Counting.catch_up(engine).state["n"] == sum
      Counting.at(engine, shipped.position)
      engine.projections.each(&:name)
    end
  RUBY

  def passes(script, limits = {})
    output, status = Open3.capture2e(limits, RbConfig.ruby, "-I", LIBRARY, "-rstepwell", "-e", script)
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

  it "is survived by events under GC.stress" do
    passes(told + <<~'RUBY')
      engine = Stepwell::Engine.new("memory:")
      told(engine, 0)
      GC.stress = true
      told(engine, 1)
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

  it "finds names again that were moved while they were read" do
    skip "this Ruby does not compact" unless GC.respond_to?(:auto_compact=)
    passes(<<~'RUBY')
      [:to_s, :to_sym].each do |kind|
        made = Array.new(1000) { |i| "made at run time #{i} #{"x" * 20}".send(kind) }
        names = made.each_slice(16).map(&:first) # the others leave holes to move into
        pairs = names.flat_map { |name| names.sample(3).map { |other| [name, other] } }
        pairs = pairs.reject { |a, b| a == b }.uniq
        made = nil
        GC.auto_compact = true
        GC.stress = true
        graph = Stepwell::Graph.new(pairs)
        GC.stress = false
        raise "wrong edges" unless graph.edges == pairs
        raise "wrong nodes" unless graph.nodes == pairs.flatten.uniq
      end
    RUBY
  end

  # What lies at the address of a name after it was moved is another name only after a second move: of
  # one that was just being read the first time, and so was left where it lay. Hence a collector that
  # comes often, and moves first when thousands of names are known.
  it "does not take a name for one that lay there before" do
    skip "this Ruby does not compact" unless GC.respond_to?(:auto_compact=)
    limits = %w[MALLOC_LIMIT MALLOC_LIMIT_MAX OLDMALLOC_LIMIT OLDMALLOC_LIMIT_MAX].to_h { |name| ["RUBY_GC_#{name}", "20000"] }
    passes(<<~'RUBY', limits)
      random = Random.new(1)
      350.times { GC.start } # until the limits are in force
      2.times do
        edges = Array.new(16_000) { [random.rand(4000), random.rand(4000)] }.reject { |a, b| a == b }.uniq
        pairs = edges.map(&:dup)
        made = Array.new(8000) { |i| i.to_s.freeze }
        names = made.each_slice(2).map(&:first)
        made.clear
        pairs.each { |pair| pair.map! { |i| names[i] } }
        GC.start # leaves a hole at every second name
        GC.auto_compact = true
        graph = Stepwell::Graph.new(pairs)
        GC.auto_compact = false
        wrong = graph.edges.zip(edges).count { |pair, numbers| pair.map { |name| name.to_i / 2 } != numbers }
        raise "#{wrong} wrong edges" if wrong > 0
      end
    RUBY
  end

  it "has room for edges that are added while they are read" do
    passes(<<~'RUBY')
      $pairs = Array.new(100) { |i| [2**62 + i, 2**62 + i + 1] } # the only Ruby code that runs is Integer#eql?
      $asked = 0
      class Integer
        def eql?(other)
          $pairs << [2**62 + 1000 + $asked, 2**62 + 1001 + $asked] if $pairs.size < 20_000 && ($asked += 1)
          self == other
        end
      end
      graph = Stepwell::Graph.new($pairs)
      raise "nothing was added" unless $pairs.size == 20_000
      raise "wrong edges" unless graph.edges == $pairs
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
    passes(journey + told + <<~'RUBY')
      engine = Stepwell::Engine.new("memory:")
      kept = []
      GC.auto_compact = true
      3.times do |round|
        journey(engine, round)
        told(engine, round)
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
    output = passes(journey + told + <<~'RUBY')
      def resident = File.read("/proc/self/statm").split[1].to_i * 4096
      round = 0
      run = lambda do |count|
        count.times do
          Stepwell::Engine.open("memory:") { |engine| journey(engine, round += 1) and told(engine, round) }
          GC.start if round % 50 == 0
        end
        resident
      end
      run.call(100)
      before = resident
      after = run.call(200)
      puts (after - before) / 200
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
