# frozen_string_literal: true

require_relative "spec_helper"
require File.join(ROOT, "docs/examples/audit/verify_proof")

# The verifier of docs/examples/audit against the definitions of RFC 9162. DIGEST stands in
# tests/unit/test_audit_tree.c and in pytests/test_audit_proof.py, too: the C library, Python and
# Ruby each make all roots and proofs of all trees of up to 300 leaves, with code of their own, and
# arrive at the same bytes.
RSpec.describe "the verifier in Ruby" do
  digest = "a582741dce61c06f4c91bde55cb12cf03246ad39100d6b10328f41bfc040af54"

  # MTH of RFC 9162, 2.1.1, over leaves that are decimal numbers.
  def root(first, last)
    (@roots ||= {})[[first, last]] ||=
      if last - first == 1
        sha256("\x00", first.to_s)
      else
        middle = first + split(last - first)
        sha256("\x01", root(first, middle), root(middle, last))
      end
  end

  def split(size)
    1 << ((size - 1).bit_length - 1)
  end

  # PATH of 2.1.3.1.
  def inclusion(index, first, last)
    return [] if last - first == 1

    left = split(last - first)
    middle = first + left
    return inclusion(index, first, middle) + [root(middle, last)] if index < left

    inclusion(index - left, middle, last) + [root(first, middle)]
  end

  # SUBPROOF of 2.1.4.1.
  def consistency(old, first, last, whole = true)
    return whole ? [] : [root(first, last)] if old == last - first

    left = split(last - first)
    middle = first + left
    return consistency(old, first, middle, whole) + [root(middle, last)] if old <= left

    consistency(old - left, middle, last, false) + [root(first, middle)]
  end

  def sha256(*parts)
    OpenSSL::Digest::SHA256.digest(parts.map(&:b).join)
  end

  it "accepts all proofs of all sizes up to 300" do
    verifier = ProofVerifier.new("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    all = OpenSSL::Digest.new("SHA256")
    1.upto(300) do |size|
      all << root(0, size)
      size.times do |index|
        hashes = inclusion(index, 0, size)
        hashes.each { |hash| all << hash }
        raise "#{index} of #{size}" unless verifier.included(root(index, index + 1), index, size, hashes) == root(0, size)
      end
      1.upto(size) do |old|
        hashes = consistency(old, 0, size)
        hashes.each { |hash| all << hash }
        raise "#{old} and #{size}" unless verifier.continued(old, size, root(0, old), hashes) == [root(0, old), root(0, size)]
      end
    end
    expect(all.hexdigest).to eq(digest)
  end
end
