// PDML as tshark 4.0 writes it, shortened to the fields that are read.

import { describe, expect, it } from 'vitest'
import { PdmlReader, type PdmlPacket } from '../pdml.ts'

const DATAGRAM = `<packet>
  <proto name="frame" showname="Frame 2" size="1228" pos="0">
    <field name="frame.time_epoch" showname="Epoch Time: 1.030000000 seconds" size="0" pos="0" show="1.030000000"/>
    <field name="frame.number" showname="Frame Number: 2" size="0" pos="0" show="2"/>
  </proto>
  <proto name="ip" size="20" pos="0">
    <field name="ip.src" size="4" pos="12" show="193.167.100.100" value="c1a76464"/>
  </proto>
  <proto name="quic" showname="QUIC IETF" size="153" pos="28">
    <field name="quic.header_form" size="1" pos="28" show="1" value="1" unmaskedvalue="c1"/>
    <field name="quic.long.packet_type_v2" size="1" pos="28" show="1" value="1" unmaskedvalue="c1"/>
    <field name="quic.version" showname="Version: 2 (0x6b3343cf)" size="4" pos="29" show="0x6b3343cf" value="6b3343cf"/>
    <field name="quic.dcid" size="2" pos="34" show="d6:78" value="d678"/>
    <field name="quic.scid" size="2" pos="43" show="a1:95" value="a195"/>
    <field name="quic.token" size="2" pos="50" show="01:02" value="0102"/>
    <field name="quic.packet_number" size="1" pos="54" show="7" value="2a"/>
    <field name="quic.payload" size="115" pos="55" show="c8:a8" value="c8a8"/>
    <field name="quic.frame" showname="CRYPTO" size="98" pos="5" show="" value="">
      <field name="quic.frame_type" size="1" pos="5" show="6" value="06"/>
      <field name="quic.crypto.offset" size="1" pos="6" show="3" value="03"/>
      <field name="quic.crypto.length" size="2" pos="7" show="90" value="405a"/>
      <proto name="tls" showname="TLSv1.3" size="90" pos="9">
        <field name="tls.handshake.type" size="1" pos="9" show="2" value="02"/>
        <field name="tls.handshake.ciphersuite" size="2" pos="44" show="0x1301" value="1301"/>
      </proto>
    </field>
    <field name="quic.frame" showname="PADDING Length: 1" size="1" pos="5" show="" value="">
      <field name="quic.frame_type" size="1" pos="5" show="0" value="00"/>
    </field>
  </proto>
  <proto name="quic" showname="QUIC IETF" size="1047" pos="181">
    <field name="quic.header_form" size="1" pos="181" show="0" value="0" unmaskedvalue="5c"/>
    <field name="quic.dcid" size="2" pos="182" show="d6:78" value="d678"/>
    <field name="quic.packet_number" size="1" pos="190" show="0" value="2a"/>
    <field name="quic.key_phase" size="1" pos="181" show="1" value="1" unmaskedvalue="5c"/>
    <field name="quic.protected_payload" size="30" pos="191" show="00" value="00"/>
    <field name="quic.frame" showname="PATH_CHALLENGE" size="9" pos="0" show="" value="">
      <field name="quic.frame_type" size="1" pos="0" show="26" value="1a"/>
      <field name="quic.path_challenge.data" size="8" pos="1" show="01:02:03:04:05:06:07:08" value="0102030405060708"/>
    </field>
  </proto>
</packet>`

function read(text: string): PdmlPacket[] {
  const reader = new PdmlReader()
  return text.split('\n').flatMap((line) => reader.line(line) ?? [])
}

describe('PDML', () => {
  it('gives each QUIC packet of a datagram with its frames and messages', () => {
    const [packet, ...others] = read(DATAGRAM)
    expect(others).toEqual([])
    expect([packet!.outer.get('frame.number'), packet!.outer.get('frame.time_epoch'), packet!.outer.get('ip.src')]).toEqual(['2', '1.030000000', '193.167.100.100'])
    expect(packet!.quic).toEqual([
      {
        type: 'initial',
        version: 0x6b3343cf,
        destinationId: 'd678',
        sourceId: 'a195',
        token: '0102',
        packetNumber: 7,
        keyPhase: null,
        decrypted: true,
        payloadLength: 115,
        frames: [{ type: 6, offset: 3, length: 90 }],
        // The server's choice is no offer.
        messages: [{ type: 2 }],
        repeatsCrypto: false,
      },
      {
        type: '1-rtt',
        version: 0,
        destinationId: 'd678',
        sourceId: '',
        token: '',
        packetNumber: 0,
        keyPhase: 1,
        decrypted: true,
        payloadLength: 30,
        frames: [{ type: 0x1a, data: Buffer.from('0102030405060708', 'hex') }],
        messages: [],
        repeatsCrypto: false,
      },
    ])
  })

  it('tells what could not be decrypted', () => {
    const failed = DATAGRAM.replace('<field name="quic.frame" showname="CRYPTO"', '<field name="quic.decryption_failed" show=""/>\n<field name="quic.frame" showname="CRYPTO"').replace(/.*key_phase.*\n/, '')
    expect(read(failed)[0]!.quic.map(({ decrypted, packetNumber, keyPhase }) => [decrypted, packetNumber, keyPhase])).toEqual([
      [false, -1, null],
      [false, -1, null],
    ])
  })
})
