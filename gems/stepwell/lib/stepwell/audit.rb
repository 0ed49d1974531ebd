# frozen_string_literal: true

module Stepwell
  # The audit log of an engine: verify it, sign it, anchor it, prove what it says. Checkpoints are texts,
  # or what {#seal} answers; keys are verifier keys, the public texts that {keygen} makes, or what it
  # answers; anchors are places ("file:/mnt/far/anchors", "git:/srv/anchors", ...), which are read, or
  # what {anchor_get} and {#anchor_put} answer. All are given one or several.
  #
  # @example
  #   key = Stepwell::Audit.keygen("example.com/orders", signer: "orders.key")
  #   checkpoint = engine.audit.seal(signer: "orders.key")
  #   engine.audit.verify(checkpoints: checkpoint, vkeys: key).level # => :signed
  class Audit
    # What takes checkpoints, keys and anchors in every form that users have.
    module Trust
      private

      def notes(checkpoints)
        texts(checkpoints, :note)
      end

      def keys(vkeys)
        texts(vkeys, :vkey)
      end

      # A place is read for the log that the first key names.
      def anchor_rows(anchors, vkeys)
        anchors = [anchors] unless anchors.instance_of?(Array)
        anchors.map do |anchor|
          anchor = Engine.audit_anchor_get(anchor, keys(vkeys).first.to_s[/\A[^+]*/]) if anchor.is_a?(String)
          anchor.is_a?(AuditAnchor) ? anchor.to_a : anchor
        end
      end

      def texts(values, field)
        values = [values] unless values.instance_of?(Array)
        values.map { |value| value.respond_to?(field) ? value.public_send(field) : value }
      end

      def path(file)
        file.respond_to?(:to_path) ? file.to_path : file
      end

      def microseconds(time)
        time && (time.to_r * 1_000_000).floor
      end

      def report_options(format: :json, standards: [], since: nil, **others)
        last = others.delete(:until)
        raise ArgumentError, "unknown keyword: #{others.keys.first.inspect}" unless others.empty?

        standards = [standards] unless standards.instance_of?(Array)
        [format, standards, microseconds(since), microseconds(last)]
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

      # Let a key sign whose secret only the application has, as in a hardware module or a key service:
      # the file signer gets the verifier key, "signer.state" what was signed last. {#seal} and {#rotate}
      # then ask for each signature.
      #
      # @param vkey [String, AuditKey]
      # @param signer [String, #to_path]
      # @return [nil]
      # @raise [ConflictError] a file is there
      def enrol(vkey, signer:)
        Engine.audit_enrol(keys(vkey).first, path(signer))
      end

      # The newest anchor of a log at a place, where {Audit#anchor_put} or the command have put it.
      # Whether it is signed, {Audit#verify} says.
      #
      # @param place [String] as for {Audit#anchor_put}
      # @param origin [String] the name of the log
      # @return [AuditAnchor]
      # @raise [NotFoundError] there is none
      def anchor_get(place, origin)
        Engine.audit_anchor_get(place, origin)
      end

      # Prove out of a folder that {Audit#export} wrote, without a database, that entries are in the log
      # of a checkpoint. A handful of files is read, however long the log is.
      #
      # @param folder [String, #to_path]
      # @param entry_nos [Array<Integer>]
      # @param checkpoint [String, AuditCheckpoint, nil] nil: that of the folder
      # @return [Array<AuditProof>]
      # @raise [AuditError] the folder is not that of the checkpoint
      def prove_export(folder, *entry_nos, checkpoint: nil)
        Engine.audit_prove_export(path(folder), notes(checkpoint).first, entry_nos)
      end

      # Prove out of such a folder that the log of one checkpoint continues that of an older one.
      #
      # @param folder [String, #to_path]
      # @param old [String, AuditCheckpoint]
      # @param new [String, AuditCheckpoint, nil] nil: that of the folder
      # @return [AuditProof]
      # @raise [AuditError] the folder is not that of the checkpoints
      def prove_export_consistency(folder, old, new = nil)
        Engine.audit_prove_export_consistency(path(folder), notes(old).first, notes(new).first)
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
      # @param anchors [String, AuditAnchor, Array] places that are read, or what was read there
      # @param jobs [Integer, nil] threads that read and hash entries, 1 to 64; nil: as many as there are
      #   processors, at most 8. They are none of Ruby's, and the answer does not depend on them.
      # @return [AuditReport]
      # @raise [AuditError] with #report
      # @raise [InvalidArgumentError] a key cannot be read, or jobs is out of range
      def verify_export(folder, vkeys:, checkpoints: [], anchors: [], jobs: nil)
        rows = anchor_rows(anchors, vkeys)
        Engine.audit_verify_export(path(folder), notes(checkpoints), keys(vkeys), rows, jobs)
      end

      # A control report from a folder that {Audit#export} wrote; {Audit#report} has the options.
      #
      # @param folder [String, #to_path]
      # @param vkeys [String, AuditKey, Array]
      # @param checkpoints [String, AuditCheckpoint, Array]
      # @return [ControlReport]
      # @raise [AuditError] the folder does not verify
      def report_export(folder, vkeys:, checkpoints: [], **options)
        Engine.control_report_export(path(folder), *report_options(**options), notes(checkpoints), keys(vkeys))
      end

      # @param standards [Array<Symbol>] all when there is none
      # @return [Array<Control>]
      def controls(*standards)
        wanted = standards.map(&:to_sym)
        Engine.control_list.select { |control| wanted.empty? || wanted.include?(control.standard) }
      end

      # Sign a report with a key of {keygen}, best that of whoever answers for it.
      #
      # @param report [ControlReport, String]
      # @param signer [String, #to_path] file of the secret key
      # @return [ControlSignature]
      def sign_report(report, signer:)
        Engine.control_sign(path(signer), texts(report, :text).first)
      end

      # @param report [ControlReport, String]
      # @param signature [ControlSignature, String]
      # @param vkeys [String, AuditKey, Array]
      # @return [ControlSignature] whose it is
      # @raise [AuditError] it is not of this report, or of none of the keys
      def check_report(report, signature, vkeys:)
        Engine.control_check(texts(report, :text).first, notes(signature).first, keys(vkeys))
      end
    end

    # @param engine [Engine]
    def initialize(engine)
      @engine = engine
    end

    # Recompute the log and compare it with the state of every step: level :integrity. With checkpoints
    # and the keys that they must be signed by, also that the log begins as was signed: level :signed. With
    # anchors, also that somebody outside holds such a checkpoint: level :anchored.
    #
    # @param checkpoints [String, AuditCheckpoint, AuditAnchor, Array]
    # @param vkeys [String, AuditKey, Array] of the log, and of witnesses
    # @param anchors [String, AuditAnchor, Array] places that are read, or what was read there
    # @param jobs [Integer, nil] threads, 1 to 64, of which one replays and the others hash; nil: as many as
    #   there are processors, at most 8. They are none of Ruby's, and the answer does not depend on them.
    # @return [AuditReport]
    # @raise [AuditError] with #report: the first bad entry, and what kind of change it looks like
    # @raise [InvalidArgumentError] a key cannot be read, or jobs is out of range
    def verify(checkpoints: [], vkeys: [], anchors: [], jobs: nil)
      @engine.audit_verify(notes(checkpoints), keys(vkeys), anchor_rows(anchors, vkeys), jobs)
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

    # Sign what the log says by now. For a key whose secret is not in its file ({Audit.enrol}), the block
    # makes the signature. What it raises is raised here, and nothing is signed then; it cannot close the
    # engine.
    #
    # @example
    #   engine.audit.seal(signer: "hsm.key") { |message| hsm.sign(message) }
    #
    # @param signer [String, #to_path] file of the key
    # @yieldparam message [String] bytes to sign
    # @yieldreturn [String] the Ed25519 signature of them (RFC 8032), 64 bytes
    # @return [AuditCheckpoint] keep it where nobody who writes the database can change it
    # @raise [AuditError] the log does not continue what the key signed last
    def seal(signer:, &sign)
      @engine.audit_seal(path(signer), sign)
    end

    # Hand the log over to another key of the same name, which is made when its file is not there. Both
    # sign one checkpoint: whoever trusts the old key and is given it trusts the new one from there on.
    # The old key signs nothing any more.
    #
    # @param signer [String, #to_path] file of the key that has signed so far
    # @param next_signer [String, #to_path] file of the key that takes over
    # @param sign [Proc, nil] makes the signatures of the old key, as the block of {#seal}
    # @param next_sign [Proc, nil] those of the next one
    # @return [AuditRotation]
    # @raise [ConflictError] the next key has another name or has signed something, or the log is empty
    def rotate(signer:, next_signer:, sign: nil, next_sign: nil)
      AuditRotation.new(*@engine.audit_rotate(path(signer), path(next_signer), sign, next_sign))
    end

    # Give a checkpoint to a place outside, where neither who writes the database nor who has the key can
    # take it back: "file:PATH", "db:PATH" (another SQLite database), "git:FOLDER" (a work tree),
    # "syslog:PATH" (the system's log, which does not say whether that arrived; it is read from PATH, the
    # file that collects it), or the address of a C2SP witness.
    #
    # @param place [String]
    # @param checkpoint [String, AuditCheckpoint, AuditAnchor]
    # @param vkeys [String, AuditKey, Array] of the log, and of the witness
    # @return [AuditAnchor] that of a witness has its cosignature and is worth keeping
    # @raise [AuditError] the checkpoint is not signed by a key, or the witness refuses it
    def anchor_put(place, checkpoint:, vkeys:)
      @engine.audit_anchor_put(place, notes(checkpoint).first, keys(vkeys))
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

    # What the log holds as evidence for the controls of standards, up to the newest checkpoint given. The
    # log is verified first.
    #
    # @param checkpoints [String, AuditCheckpoint, Array]
    # @param vkeys [String, AuditKey, Array]
    # @param format [Symbol] of the document: :json, :markdown or :html
    # @param standards [Symbol, Array<Symbol>] of :soc2, :iso27001, :hipaa, :pci, :nist, :gdpr; all when there
    #   is none
    # @param since [Time, nil] of entries written then or later
    # @param until [Time, nil] of entries written before then
    # @return [ControlReport]
    # @raise [AuditError] the log does not verify
    def report(checkpoints:, vkeys:, **options)
      @engine.control_report(*report_options(**options), notes(checkpoints), keys(vkeys))
    end

    private

    PAGE = 1000
    private_constant :PAGE

    def filter_of(since: nil, until: nil, **filter)
      times = { after_us: since, before_us: binding.local_variable_get(:until) }.compact
      times.transform_values! { |time| microseconds(time) }
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
