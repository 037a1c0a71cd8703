#!/bin/bash
# Writes the seed corpus of one fuzz target: make_seeds.sh TARGET FOLDER. Seeds are written as hexadecimal here, so that a reader sees them.
set -euo pipefail

target=$1
folder=$2

# seed NAME HEX..., blanks are for the reader
seed() {
  local name=$1 hex
  shift
  hex=$(printf '%s' "$@" | tr -d ' ')
  printf "$(printf '%s' "$hex" | sed 's/../\\x&/g')" > "$folder/seed-$name"
}

eth='020000000002 020000000001'
udp4='4500002100010000401100000a0000010a000002 13880035000d0000 6162636465'
tcp4='4600003000010000400600000a0000010a000002 01010101 9c4001bb000000010000000060020400000000000204 05b4'
tcp6='60000000002800400000000000000000000000000000000120010db8000000000000000000000002'
tcp6_headers='2c00000000000000 0600000100000007 9c4001bb00000001000000005012040000000000 00000000'
icmp4='4500001c00010000400100000a0000010a000002 0800000003090001'

case $target in
  decode_fuzz)
    seed ethernet-udp 0000 "$eth" 0800 "$udp4"
    seed ethernet-cut 0010 "$eth" 0800 "$tcp4"
    seed vlan-vlan 0000 "$eth" 88a8 0064 8100 00c8 0800 "$icmp4"
    seed ipv6-headers 0000 "$eth" 86dd "$tcp6" "$tcp6_headers"
    seed arp 0000 "$eth" 0806 0001080006040001
    seed raw 0100 "$tcp4"
    seed sll 0200 0004 0001 0006 0200000000010000 0800 "$udp4"
    seed sll2 0300 0800 0000 00000002 0001 04 06 0200000000010000 "$udp4"
    seed null 0400 02000000 "$udp4"
    seed loop 0500 0000001e "$tcp6" "$tcp6_headers"
    seed ppp 0600 ff030021 "$udp4"
    ;;
  meter_fuzz)
    frame="00 2f $eth 0800 $udp4"
    seed live 00 "$frame" 04 05 01 "$frame" 03 02 ff "$frame" 03
    seed loopback 40 "$frame" "$frame" 03
    seed recorded 81 0021 "$udp4" 1aff 0021 "$udp4" 43
    seed tcp 00 00 3e "$eth" 0800 "$tcp4" 03 00 3e "$eth" 0800 "$tcp4" 03
    ;;
  capture_file_fuzz)
    pcap_tail='0200 0400 00000000 00000000 ffff0000 01000000'
    record='01000000 02000000 04000000 3c000000 01020304'
    seed pcap 07 d4c3b2a1 "$pcap_tail" "$record" "$record"
    seed pcap-nanoseconds 10 4d3cb2a1 "$pcap_tail" "$record"
    seed pcap-modified 03 34cdb2a1 "$pcap_tail" 01000000 02000000 04000000 3c000000 00000000 00000000 01020304
    section='0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000'
    interface='01000000 24000000 0100 0000 00000000 0900 0100 06000000 0000 0000 00000000 24000000'
    packet='06000000 24000000 00000000 00000000 01000000 04000000 3c000000 01020304 24000000'
    seed pcapng 05 "$section" "$interface" "$packet" "$packet"
    seed pcapng-simple 05 "$section" "$interface" 03000000 14000000 04000000 01020304 14000000
    seed pcapng-names 05 "$section" 04000000 10000000 00000000 10000000 "$interface" "$packet" "$section"
    ;;
esac
