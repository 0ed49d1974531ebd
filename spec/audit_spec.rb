# frozen_string_literal: true

require_relative "spec_helper"
require "stringio"
require File.join(ROOT, "docs/examples/audit/verify_proof")

# The audit log from Ruby: verify, sign, prove, export, and what is refused.
RSpec.describe Stepwell::Audit do
  # A task of two steps that has ended.
  def work(engine)
    id = submit(engine, { "a" => {}, "b" => { "after" => ["a"] } })
    until (rows = claim(engine, "w.a", "w.b")).empty?
      engine.update_batch(rows.map { |row| [row.step_id, row.epoch, :succeeded, "1"] })
    end
    engine.task(id)
  end

  let(:signer) { File.join(directory, "w.key") }
  let!(:key) { described_class.keygen("example.com/w", signer: signer) }

  it "makes a key for its owner only, and keeps what is there" do
    expect(key).to have_attributes(name: "example.com/w", vkey: /\Aexample\.com\/w\+\h{8}\+/)
    expect(File.stat(signer).mode & 0o777).to eq(0o600)
    expect { described_class.keygen("example.com/w", signer: signer) }.to raise_error(Stepwell::ConflictError)
    expect { described_class.keygen("a+b", signer: "#{signer}2") }.to raise_error(Stepwell::InvalidArgumentError)
  end

  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }

      it "verifies a task" do
        task = work(engine)
        expect(task.audit).to be_verified
        expect(task.audit.map(&:kind).first).to eq(:task_submitted)
        expect(task.audit.entries).to eq(task.history)
        expect(engine.audit.verify).to have_attributes(ok: true, level: :integrity, signed_count: 0, root: nil, pruned_count: 0)
        gone = engine.task("01a1fa53-a1dc-76ad-9ffc-eb15f6879603")
        expect { gone.audit.verify }.to raise_error(Stepwell::NotFoundError)
      end

      it "proves more with checkpoints" do
        work(engine)
        first = engine.audit.seal(signer: signer)
        expect(first).to have_attributes(origin: "example.com/w", note: /\Aexample\.com\/w\n#{first.entry_count}\n/)
        expect(first.entries_new).to eq(first.entry_count)
        work(engine)
        [first, first.note, [first], [first.note]].each do |checkpoints|
          report = engine.audit.verify(checkpoints: checkpoints, vkeys: key)
          expect(report).to have_attributes(level: :signed, signed_count: first.entry_count)
        end
        second = engine.audit.seal(signer: signer)
        expect(second.entries_new).to eq(second.entry_count - first.entry_count)
        expect(engine.audit.verify(checkpoints: [first, second], vkeys: [key.vkey]).root).to eq(second.root)
      end

      it "says what it does not trust" do
        work(engine)
        checkpoint = engine.audit.seal(signer: signer)
        other = described_class.keygen("example.com/w", signer: "#{signer}2")
        expect { engine.audit.verify(checkpoints: checkpoint, vkeys: other) }.to raise_error(Stepwell::AuditError, /not signed by any/) { |error|
          expect(error.report).to have_attributes(ok: false, level: :none)
        }
        expect(engine.audit.verified?(checkpoints: checkpoint, vkeys: other)).to be(false)
        expect { engine.audit.verify(vkeys: key) }.to raise_error(Stepwell::InvalidArgumentError, /no checkpoint/)
        expect { engine.audit.verify(checkpoints: checkpoint) }.to raise_error(Stepwell::InvalidArgumentError, /keys are needed/)
        expect { engine.audit.seal(signer: "#{signer}3") }.to raise_error(Stepwell::NotFoundError)
        stranger = open_engine
        2.times { work(stranger) }
        expect { stranger.audit.seal(signer: signer) }.to raise_error(Stepwell::AuditError, /refused to sign/)
        expect { stranger.audit.verify(checkpoints: checkpoint, vkeys: key) }.to raise_error(Stepwell::AuditError) { |error|
          expect(error.report.first_bad_entry).to eq(1)
        }
      end

      it "proves single entries, and other verifiers agree" do
        task = work(engine)
        checkpoint = engine.audit.seal(signer: signer)
        proofs = task.audit.prove(:a, checkpoint: checkpoint)
        expect(proofs.map { |proof| proof.entry.to }).to eq(%i[running succeeded])
        proofs.each do |proof|
          shown = described_class.check(proof, vkeys: key)
          expect(shown).to have_attributes(origin: "example.com/w", entry: proof.entry, entry_count: checkpoint.entry_count, old_count: 0)
          expect(ProofVerifier.new(key.vkey).check(proof.text)).to include("is one of the")
        end
        third = engine.audit.prove(3, checkpoint: checkpoint.note).first
        expect(third.entry).to eq(engine.audit_list(3, 1).first)
        expect(task.audit.prove(checkpoint: checkpoint).size).to eq(task.history.size)
        forged = third.text.sub("\nindex 2\n", "\nindex 1\n")
        expect { described_class.check(forged, vkeys: key) }.to raise_error(Stepwell::AuditError, /does not hold/)
        expect { work(engine).audit.prove(checkpoint: checkpoint) }.to raise_error(Stepwell::NotFoundError)
        expect { engine.audit.prove(1, 999, checkpoint: checkpoint) }.to raise_error(Stepwell::InvalidArgumentError) { |error|
          expect(error.row).to eq(1)
        }
      end

      it "proves that one checkpoint continues another" do
        work(engine)
        old = engine.audit.seal(signer: signer)
        work(engine)
        new = engine.audit.seal(signer: signer)
        proof = engine.audit.prove_consistency(old, new)
        expect(proof.entry).to be_nil
        shown = described_class.check(proof, vkeys: key, checkpoints: old)
        expect(shown).to have_attributes(old_count: old.entry_count, entry_count: new.entry_count, entry: nil)
        expect { described_class.check(proof, vkeys: key) }.to raise_error(Stepwell::AuditError, /not given/)
      end

      it "finds, counts and writes entries" do
        task = work(engine)
        work(engine)
        all = engine.audit_list(1, 1000)
        expect(engine.audit.entries.to_a).to eq(all)
        expect(engine.audit.entries(task_id: task.id).to_a).to eq(task.history)
        expect(engine.audit.entries(outcome: :succeeded, step: "b").map(&:to).to_a).to eq(%i[succeeded succeeded])
        expect(engine.audit.entries(after_entry_no: 3, limit: 2).to_a).to eq(all[3, 2])
        later = Time.at(0, all.last.time_us + 1, :microsecond)
        expect(engine.audit.entries(since: later).to_a).to eq([])
        expect(engine.audit.entries(until: later).to_a).to eq(all)
        stats = engine.audit.stats
        expect(stats.kinds.sum(&:count)).to eq(all.size)
        expect(stats.actors.sum(&:count)).to eq(all.size)
        expect(engine.audit.stats(outcome: :succeeded, step: "a").kinds).to contain_exactly(
          have_attributes(kind: :step_changed, outcome: :succeeded, count: 2)
        )
        lines = StringIO.new
        expect(engine.audit.dump(lines)).to eq(all.size)
        expect(lines.string.lines.map { |line| JSON.parse(line)["entry_no"] }).to eq(all.map(&:entry_no))
        table = StringIO.new
        engine.submit([{ workflow: "w", initiator: "ann", reason: "=1" }])
        expect(engine.audit.dump(table, format: :csv, actor: "ann")).to eq(1)
        expect(table.string).to start_with("entry_no,time,kind,").and include("\"'=1\"")
        expect { engine.audit.entries(kind: :gone).first }.to raise_error(Stepwell::InvalidArgumentError, /no kind/)
        expect { engine.audit.dump(table, format: :xml) }.to raise_error(Stepwell::InvalidArgumentError, /no format/)
      end

      it "erases a subject, and what was proved stays proved" do
        engine.register(definition({ "a" => {} }))
        ids = engine.submit(%w[a b].map { |who| { workflow: "w", input_json: '"SECRET"', tags: ["subject:#{who}"] } }).map(&:task_id)
        before = engine.audit.seal(signer: signer)
        proof = engine.task(ids[0]).audit.prove(checkpoint: before).first
        request = { actor: "eve", reason: "request 7" }
        expect { engine.erase("a", **request) }.to raise_error(Stepwell::IllegalTransitionError, /cancel it/)
        engine.cancel([[ids[0], "eve", "to be erased"]])
        expect(engine.erase("a", dry_run: true, **request).task_count).to eq(1)
        expect(engine.erase("a", **request)).to have_attributes(task_count: 1, erased_count: 0, clean: true)
        expect(ids.map { |id| engine.get(id).input_json }).to eq([nil, '"SECRET"'])
        expect(engine.audit.verify(checkpoints: before, vkeys: key)).to have_attributes(level: :signed, erased_count: 1)
        expect(described_class.check(proof, vkeys: key).entry).to eq(proof.entry)
        expect(engine.task(ids[0]).audit.prove(checkpoint: before).first).to eq(proof)
        entry = engine.task(ids[0]).history.last
        expect(entry).to have_attributes(kind: :task_erased, actor: "eve", reason: "request 7", from: :cancelled, to: :cancelled)
        expect { engine.erase("a", actor: "eve", reason: "") }.to raise_error(Stepwell::InvalidArgumentError, /reason is missing/)
      end

      it "verifies by as many threads as are asked for" do
        work(engine)
        checkpoint = engine.audit.seal(signer: signer)
        report = engine.audit.verify(checkpoints: checkpoint, vkeys: key)
        [1, 3, 64].each do |jobs|
          expect(engine.audit.verify(checkpoints: checkpoint, vkeys: key, jobs: jobs)).to eq(report)
          expect(engine.audit.verify(jobs: jobs)).to have_attributes(ok: true, level: :integrity)
        end
        [-1, 65].each do |jobs|
          expect { engine.audit.verify(jobs: jobs) }.to raise_error(Stepwell::InvalidArgumentError, "jobs must be 0 to 64")
        end
      end

      it "exports a folder that verifies alone" do
        work(engine)
        checkpoint = engine.audit.seal(signer: signer)
        folder = File.join(directory, "public")
        engine.audit.export(folder, checkpoint: checkpoint)
        report = described_class.verify_export(folder, vkeys: key, checkpoints: checkpoint)
        expect(report).to have_attributes(level: :signed, signed_count: checkpoint.entry_count, root: checkpoint.root)
        [1, 3, 64].each { |jobs| expect(described_class.verify_export(folder, vkeys: key, checkpoints: checkpoint, jobs: jobs)).to eq(report) }
        [-1, 65].each do |jobs|
          expect { described_class.verify_export(folder, vkeys: key, jobs: jobs) }
            .to raise_error(Stepwell::InvalidArgumentError, "jobs must be 0 to 64")
        end
        bundle = Dir[File.join(folder, "tile/entries/**/#{checkpoint.entry_count}")].first
        File.binwrite(bundle, "#{File.binread(bundle)}x")
        expect { described_class.verify_export(folder, vkeys: key) }.to raise_error(Stepwell::AuditError) { |error|
          expect(error.report.ok).to be(false)
        }
        expect { described_class.verify_export(directory, vkeys: key) }.to raise_error(Stepwell::NotFoundError)
      end

      it "proves out of an export what it proves itself" do
        work(engine)
        old = engine.audit.seal(signer: signer)
        work(engine)
        new = engine.audit.seal(signer: signer)
        folder = Pathname(directory) / "public"
        engine.audit.export(folder, checkpoint: new)
        expect(described_class.prove_export(folder, 2, 3)).to eq(engine.audit.prove(2, 3, checkpoint: new))
        expect(described_class.prove_export(folder, 1, checkpoint: old)).to eq(engine.audit.prove(1, checkpoint: old))
        proof = engine.audit.prove_consistency(old, new)
        expect(described_class.prove_export_consistency(folder, old)).to eq(proof)
        expect(described_class.prove_export_consistency(folder, old, new)).to eq(proof)
        expect { described_class.prove_export(folder, 1, 999) }.to raise_error(Stepwell::InvalidArgumentError) { |error|
          expect(error.row).to eq(1)
        }
        expect { described_class.prove_export(directory, 1) }.to raise_error(Stepwell::NotFoundError)
        expect { described_class.prove_export_consistency(folder, new, old) }.to raise_error(Stepwell::InvalidArgumentError)
      end
    end
  end
end
