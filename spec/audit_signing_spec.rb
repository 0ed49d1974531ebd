# frozen_string_literal: true

require_relative "spec_helper"
require "base64"
require "openssl"

# Keys whose secret only the application has, and handing the log over from one key to the next.
RSpec.describe "signing the audit log" do
  let(:engine) { open_engine(:sqlite) }
  let(:audit) { engine.audit }
  let(:secret) { OpenSSL::PKey.generate_key("ED25519") }
  let(:sign) { ->(message) { secret.sign(nil, message) } }
  let(:signer) { File.join(directory, "w.key") }

  # The verifier key of an Ed25519 key: docs/reference/audit-format.md.
  def verifier(secret, name = "example.com/w")
    public_key = "\x01".b + secret.public_to_der.byteslice(-32, 32)
    hash = OpenSSL::Digest::SHA256.digest("#{name}\n".b + public_key)
    "#{name}+#{hash.unpack1("H8")}+#{Base64.strict_encode64(public_key)}"
  end

  def grow
    engine.worker_close(engine.worker_open(handlers: ["w.a"]))
  end

  describe "by the application" do
    let(:vkey) { verifier(secret) }

    before do
      grow
      Stepwell::Audit.enrol(vkey, signer: signer)
    end

    it "asks for each signature" do
      asked = []
      checkpoint = audit.seal(signer: signer) { |message| sign.(message.tap { asked << message }) }
      expect(asked).to eq([checkpoint.note.b[/.*?\n\n/m].chomp])
      expect(asked.first.encoding).to eq(Encoding::BINARY)
      expect(audit.verify(checkpoints: checkpoint, vkeys: vkey)).to have_attributes(level: :signed, signed_count: checkpoint.entry_count)
      expect(audit.seal(signer: signer) { raise "asked again for nothing new" }).to have_attributes(note: checkpoint.note)
    end

    it "raises what the application raises, and signs later" do
      hsm_gone = Class.new(StandardError)
      expect { audit.seal(signer: signer) { raise hsm_gone, "no module" } }.to raise_error(hsm_gone, "no module")
      expect(catch(:left) { audit.seal(signer: signer) { throw :left, 7 } }).to eq(7)
      expect([1].each { audit.seal(signer: signer) { break } }).to eq([1])
      expect(audit.seal(signer: signer, &sign).entries_new).to eq(2)
    end

    it "refuses what is no signature" do
      expect { audit.seal(signer: signer) { nil } }.to raise_error(TypeError, /signature/)
      expect { audit.seal(signer: signer) { "short" } }.to raise_error(Stepwell::InvalidArgumentError, /64 bytes, not 5/)
      expect { audit.seal(signer: signer) { "x" * 64 } }.to raise_error(Stepwell::InvalidArgumentError, /not good/)
      expect { audit.seal(signer: signer) }.to raise_error(Stepwell::InvalidArgumentError, /holds no secret/)
      expect { engine.audit_seal(signer, "sign") }.to raise_error(TypeError, /Proc/)
      expect { Stepwell::Audit.enrol(vkey, signer: signer) }.to raise_error(Stepwell::ConflictError)
      expect { Stepwell::Audit.enrol("x", signer: "#{signer}2") }.to raise_error(Stepwell::InvalidArgumentError)
      expect(audit.seal(signer: signer, &sign).entries_new).to eq(2)
    end

    it "lets the application use the engine, but not close it" do
      audit.seal(signer: signer) do |message|
        expect { engine.close }.to raise_error(Stepwell::IllegalTransitionError, /signing/)
        expect { audit.seal(signer: signer, &sign) }.to raise_error(Stepwell::BusyError)
        expect(audit.verify.entry_count).to eq(2)
        grow
        GC.start
        sign.(message)
      end
      expect(audit.seal(signer: signer, &sign)).to have_attributes(entries_new: 2, entry_count: 4)
    end

    it "signs in many threads, and can be interrupted" do
      vkeys = (1..4).map do |i|
        verifier(secret, "example.com/#{i}").tap { |key| Stepwell::Audit.enrol(key, signer: "#{signer}#{i}") }
      end
      notes = (1..4).map { |i| Thread.new { audit.seal(signer: "#{signer}#{i}") { |message| sleep(0.01) && sign.(message) } } }.map(&:value)
      expect(audit.verify(checkpoints: notes, vkeys: vkeys).level).to eq(:signed)
      waiting = Queue.new
      thread = Thread.new { audit.seal(signer: signer) { waiting << true && sleep } }
      waiting.pop
      thread.kill.join
      thread = Thread.new { audit.seal(signer: signer) { waiting << true && sleep } }
      thread.report_on_exception = false
      waiting.pop
      thread.raise(Interrupt, "enough")
      expect { thread.value }.to raise_error(Interrupt, "enough")
      expect(audit.seal(signer: signer, &sign).entries_new).to eq(2)
    end
  end

  describe "by another key from now on" do
    it "hands over, once" do
      key = Stepwell::Audit.keygen("example.com/w", signer: signer)
      expect { audit.rotate(signer: signer, next_signer: "#{signer}2") }.to raise_error(Stepwell::ConflictError, /empty/)
      grow
      first = audit.seal(signer: signer)
      grow
      rotation = audit.rotate(signer: Pathname(signer), next_signer: "#{signer}3")
      expect(rotation.key).to have_attributes(name: "example.com/w")
      expect(rotation.key.vkey).not_to eq(key.vkey)
      expect(rotation.checkpoint).to have_attributes(entry_count: 4, origin: "example.com/w")
      grow
      last = audit.seal(signer: "#{signer}3")
      expect(audit.verify(checkpoints: [first, rotation.checkpoint, last], vkeys: key).signed_count).to eq(6)
      expect { audit.verify(checkpoints: last, vkeys: key) }.to raise_error(Stepwell::AuditError)
      expect { audit.seal(signer: signer) }.to raise_error(Stepwell::ConflictError, /replaced/)
    end

    it "hands over to the application, and raises what it raises" do
      key = Stepwell::Audit.keygen("example.com/w", signer: signer)
      taking = "#{signer}.hsm"
      Stepwell::Audit.enrol(verifier(secret), signer: taking)
      grow
      expect { audit.rotate(signer: signer, next_signer: taking, next_sign: ->(_) { raise KeyError, "gone" }) }.to raise_error(KeyError, "gone")
      expect(audit.seal(signer: signer).entry_count).to eq(2)
      rotation = audit.rotate(signer: signer, next_signer: taking, next_sign: sign)
      expect(rotation.key.vkey).to eq(verifier(secret))
      other = OpenSSL::PKey.generate_key("ED25519")
      Stepwell::Audit.enrol(verifier(other), signer: "#{signer}.other")
      grow
      last = audit.rotate(signer: taking, next_signer: "#{signer}.other", sign: sign, next_sign: ->(message) { other.sign(nil, message) })
      expect(audit.verify(checkpoints: [rotation.checkpoint, last.checkpoint], vkeys: key).signed_count).to eq(4)
    end
  end
end
