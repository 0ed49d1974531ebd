# frozen_string_literal: true

# Check a proof about a Stepwell audit log with Ruby and its OpenSSL alone, without Stepwell.
#
#     ruby verify_proof.rb VKEY PROOF [OLD_CHECKPOINT]
#
# VKEY is the verifier key, the others are files. Exit status 1 when the proof does not hold.
# docs/reference/audit-format.md describes every byte that is read here.

require "openssl"

# The proof does not hold.
Refused = Class.new(StandardError)

# Reads and checks proofs with one verifier key.
class ProofVerifier
  # What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410).
  DER = ["302a300506032b6570032100"].pack("H*")

  def initialize(vkey)
    @name, @id, key = vkey.strip.split("+", 3)
    key = base64(key)
    refuse "not a verifier key" unless sha256(@name, "\n", key)[0, 4].unpack1("H*") == @id && key.start_with?("\x01".b)
    @key = OpenSSL::PKey.read(DER + key[1..])
  end

  # What the proof shows, in words.
  def check(proof, old_note = nil)
    head, note = proof.split("\n\n", 2)
    refuse "it is no proof" unless note
    first, *lines = head.split("\n")
    size, root = checkpoint(note)
    return check_inclusion(lines, size, root) if first == "c2sp.org/tlog-proof@v1"

    check_consistency(first, lines.map { |line| base64(line) }, size, root, *checkpoint(old_note || ""))
  end

  # The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2).
  def included(leaf, index, size, hashes)
    climb(index, size - 1, hashes, [leaf]).first
  end

  # Both roots that a proof of consistency leads to (RFC 9162, 2.1.4.2).
  def continued(old, size, old_root, hashes)
    return [old_root, old_root] if old == size && hashes.empty?

    at = old - 1
    last = size - 1
    at, last = at >> 1, last >> 1 while at.odd?
    first = at.zero? ? old_root : hashes.fetch(0) { refuse "too few hashes" }
    climb(at, last, at.zero? ? hashes : hashes.drop(1), [first, first])
  end

  def sha256(*parts)
    OpenSSL::Digest::SHA256.digest(parts.map(&:b).join)
  end

  private

  # From a node to the root: each hash joins from the left all values, from the right the last one.
  def climb(at, last, hashes, values)
    hashes.each do |other|
      refuse "too many hashes" if last.zero?
      if at.odd? || at == last
        values = values.map { |value| sha256("\x01", other, value) }
        at, last = at >> 1, last >> 1 until at.zero? || at.odd?
      else
        values = [*values[0...-1], sha256("\x01", values.last, other)]
      end
      at, last = at >> 1, last >> 1
    end
    last.zero? ? values : refuse("too few hashes")
  end

  def check_inclusion(lines, size, root)
    entry = base64(lines.fetch(0).delete_prefix("extra "))
    index = Integer(lines.fetch(1).delete_prefix("index "), 10)
    refuse "not in the tree" unless (0...size).cover?(index)
    found = included(sha256("\x00", entry), index, size, lines.drop(2).map { |line| base64(line) })
    refuse "the hashes do not lead to the checkpoint" unless found == root
    "entry #{index + 1} is one of the #{size} of #{@name}"
  end

  def check_consistency(first, hashes, size, root, old, old_root)
    refuse "the proof is about another checkpoint" unless first == "old #{old}" && (1..size).cover?(old)
    found = continued(old, size, old_root, hashes)
    refuse "the hashes do not lead from one checkpoint to the other" unless found == [old_root, root]
    "the #{size} entries of #{@name} begin with the #{old} of the older checkpoint"
  end

  # Size and root of a checkpoint that the key has signed.
  def checkpoint(note)
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    line = signatures.lines(chomp: true).map { |l| l.split(" ", 3) }
                     .find { |dash, name, data| dash == "—" && name == @name && base64(data.to_s)[0, 4].to_s.unpack1("H*") == @id }
    refuse "not signed by this key" unless line
    origin, size, root = text.split("\n")
    good = origin == @name && @key.verify(nil, base64(line[2])[4..], text)
    good ? [Integer(size, 10), base64(root)] : refuse("the signature is not good")
  end

  def base64(text)
    text.unpack1("m0")
  end

  def refuse(why)
    raise Refused, why
  end
end

if $PROGRAM_NAME == __FILE__
  begin
    vkey, *files = ARGV
    puts "OK  #{ProofVerifier.new(vkey).check(*files.map { |path| File.read(path, encoding: "UTF-8") })}"
  rescue Refused, ArgumentError, IndexError => e
    abort "the proof does not hold: #{e.message}"
  end
end
