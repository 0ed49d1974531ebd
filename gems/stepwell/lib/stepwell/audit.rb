# frozen_string_literal: true

module Stepwell
  # The audit log of an engine: verify it, sign it, prove what it says. Checkpoints are texts, or what
  # {#seal} answers; keys are verifier keys, the public texts that {keygen} makes, or what it answers.
  # Both are given one or several.
  #
  # @example
  #   key = Stepwell::Audit.keygen("example.com/orders", signer: "orders.key")
  #   checkpoint = engine.audit.seal(signer: "orders.key")
  #   engine.audit.verify(checkpoints: checkpoint, vkeys: key).level # => :signed
  class Audit
    # What takes checkpoints and keys in every form that users have.
    module Trust
      private

      def notes(checkpoints)
        texts(checkpoints, :note)
      end

      def keys(vkeys)
        texts(vkeys, :vkey)
      end

      def texts(values, field)
        values = [values] unless values.instance_of?(Array)
        values.map { |value| value.respond_to?(field) ? value.public_send(field) : value }
      end

      def path(file)
        file.respond_to?(:to_path) ? file.to_path : file
      end
    end

    extend Trust
    include Trust

    class << self
      # Make a key to sign checkpoints with. The file signer gets the secret, "signer.state" what was
      # signed last; only their owner can read them.
      #
      # @param name [String] names the log too; best an address without https://
      # @param signer [String, #to_path]
      # @return [AuditKey]
      # @raise [ConflictError] a file is there
      def keygen(name, signer:)
        Engine.audit_keygen(name, path(signer))
      end

      # What a proof of either kind shows. A proof of consistency needs the older checkpoint.
      #
      # @param proof [String, AuditProof]
      # @param vkeys [String, AuditKey, Array]
      # @param checkpoints [String, AuditCheckpoint, Array]
      # @return [AuditShown]
      # @raise [AuditError] it proves nothing
      def check(proof, vkeys:, checkpoints: [])
        Engine.audit_check(texts(proof, :text).first, notes(checkpoints), keys(vkeys))
      end

      # Verify a folder that {Audit#export} wrote, and that it continues checkpoints that were kept.
      #
      # @param folder [String, #to_path]
      # @param vkeys [String, AuditKey, Array]
      # @param checkpoints [String, AuditCheckpoint, Array]
      # @return [AuditReport]
      # @raise [AuditError] with #report
      def verify_export(folder, vkeys:, checkpoints: [])
        Engine.audit_verify_export(path(folder), notes(checkpoints), keys(vkeys))
      end
    end

    # @param engine [Engine]
    def initialize(engine)
      @engine = engine
    end

    # Recompute the log and compare it with the state of every step: level :integrity. With checkpoints
    # and the keys that they must be signed by, also that the log begins as was signed: level :signed.
    #
    # @param checkpoints [String, AuditCheckpoint, Array]
    # @param vkeys [String, AuditKey, Array]
    # @return [AuditReport]
    # @raise [AuditError] with #report: the first bad entry, and what kind of change it looks like
    def verify(checkpoints: [], vkeys: [])
      @engine.audit_verify(notes(checkpoints), keys(vkeys))
    end

    # @return [Boolean] whether the log verifies; {#verify} says more
    def verified?(**trust)
      verify(**trust).ok
    rescue AuditError
      false
    end

    # Entries that match, oldest first, read page by page while they are asked for.
    #
    # @param since [Time, nil] written then or later
    # @param until [Time, nil] written before then
    # @param limit [Integer, nil] at most so many
    # @param filter [Hash] kind (one of {AUDIT_KINDS}), actor, step, outcome (a state of a step or task),
    #   correlation_id, task_id, after_entry_no
    # @return [Enumerator::Lazy<AuditEntry>]
    def entries(limit: nil, **filter)
      query = filter_of(**filter)
      found = Enumerator.new do |yielder|
        loop do
          page = @engine.audit_search(**query, limit: PAGE)
          page.each { |entry| yielder << entry }
          break if page.size < PAGE

          query[:after_entry_no] = page.last.entry_no
        end
      end
      (limit ? found.first(limit) : found).lazy
    end

    # @param filter [Hash] as for {#entries}
    # @return [AuditStats] how many entries match, by kind and outcome and by actor
    def stats(**filter)
      AuditStats.new(*@engine.audit_count(**filter_of(**filter)))
    end

    # Write entries that match for other programs.
    #
    # @param stream [#write]
    # @param format [Symbol] :jsonl, :yaml or :csv, in which a text that a spreadsheet would take for a
    #   formula gets an apostrophe in front
    # @param filter [Hash] as for {#entries}
    # @return [Integer] how many there were
    def dump(stream, format: :jsonl, **filter)
      query = filter_of(**filter)
      total = 0
      loop do
        text, count, last = @engine.audit_dump(format, total.zero?, **query, limit: PAGE)
        stream.write(text)
        total += count
        return total if count < PAGE

        query[:after_entry_no] = last
      end
    end

    # Sign what the log says by now.
    #
    # @param signer [String, #to_path] file of the secret key
    # @return [AuditCheckpoint] keep it where nobody who writes the database can change it
    # @raise [AuditError] the log does not continue what the key signed last
    def seal(signer:)
      @engine.audit_seal(path(signer))
    end

    # Prove that entries are in the log that a checkpoint signed.
    #
    # @param entry_nos [Array<Integer>]
    # @param checkpoint [String, AuditCheckpoint]
    # @return [Array<AuditProof>]
    def prove(*entry_nos, checkpoint:)
      @engine.audit_prove(notes(checkpoint).first, entry_nos)
    end

    # Prove that the log of one checkpoint continues that of an older one.
    #
    # @param old [String, AuditCheckpoint]
    # @param new [String, AuditCheckpoint]
    # @return [AuditProof]
    def prove_consistency(old, new)
      @engine.audit_prove_consistency(notes(old).first, notes(new).first)
    end

    # Write all entries that a checkpoint covers into a folder, with the tiles of their tree, in the
    # layout of C2SP tlog-tiles. A later export into the same folder adds to it.
    #
    # @param folder [String, #to_path]
    # @param checkpoint [String, AuditCheckpoint]
    # @return [nil]
    def export(folder, checkpoint:)
      @engine.audit_export(path(folder), notes(checkpoint).first)
    end

    private

    PAGE = 1000
    private_constant :PAGE

    def filter_of(since: nil, until: nil, **filter)
      times = { after_us: since, before_us: binding.local_variable_get(:until) }.compact
      times.transform_values! { |time| (time.to_r * 1_000_000).floor }
      { **filter, **times }
    end
  end

  # What the audit log says of one task: its entries, oldest first.
  class TaskAudit
    include Enumerable
    include Audit::Trust

    # @param engine [Engine]
    # @param task_id [String]
    def initialize(engine, task_id)
      @engine = engine
      @task_id = task_id
    end

    # @return [Array<AuditEntry>] oldest first
    def entries
      @engine.audit_task(@task_id)
    end

    # @yieldparam entry [AuditEntry]
    # @return [Enumerator, Array<AuditEntry>]
    def each(&block)
      entries.each(&block)
    end

    # Verify the whole log, since only the whole shows that no entry is missing.
    #
    # @param trust [Hash] as for {Audit#verify}
    # @return [AuditReport]
    # @raise [AuditError] with #report
    # @raise [NotFoundError] there is no such task
    def verify(**trust)
      report = @engine.audit.verify(**trust)
      @engine.get(@task_id)
      report
    end

    # @return [Boolean] whether the log verifies; {#verify} says more
    def verified?(**trust)
      verify(**trust).ok
    rescue AuditError
      false
    end

    # Prove all entries about the task, or about one step of it, that a checkpoint covers.
    #
    # @param step [String, Symbol, nil]
    # @param checkpoint [String, AuditCheckpoint]
    # @return [Array<AuditProof>]
    # @raise [NotFoundError] it covers none
    def prove(step = nil, checkpoint:)
      note = notes(checkpoint).first
      covered = note.to_s.lines[1].to_i
      wanted = entries.select { |entry| entry.entry_no <= covered && (step.nil? || entry.step == step.to_s) }
      raise NotFoundError, "the checkpoint covers no entry about that" if wanted.empty?

      @engine.audit_prove(note, wanted.map(&:entry_no))
    end
  end
end
