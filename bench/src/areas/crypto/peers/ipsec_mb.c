/* Work for Intel's multi-buffer library: PACKETS packets of one SA, each in buffers of its own.
 *
 * Combined modes go through the library's calls for one packet, everything else through its bursts. */

#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 32
#define LARGEST 2048

enum kind { GCM_PACKET, CHACHA_PACKET, CBC_ALONE, HMAC_ALONE, CBC_HMAC };

struct packet {
  _Alignas(64) uint8_t from[LARGEST];
  _Alignas(64) uint8_t to[LARGEST];
  uint8_t tag[64];
};

struct mb_work {
  struct gcm_key_data gcm;
  struct gcm_context_data gcm_context;
  struct chacha20_poly1305_context_data chacha_context;
  _Alignas(64) uint32_t encrypting[60];
  _Alignas(64) uint32_t decrypting[60];
  _Alignas(64) uint8_t inner[64];
  _Alignas(64) uint8_t outer[64];
  _Alignas(64) uint8_t key[32];
  uint8_t iv[16], aad[16];
  IMB_MGR *manager;
  IMB_HASH_ALG hash;
  enum kind kind;
  int seal, key_bits;
  uint64_t aad_len, len, tag_len;
  IMB_JOB jobs[PACKETS];
  struct packet packets[PACKETS];
};

static IMB_HASH_ALG hash_of(int bits) {
  switch (bits) {
  case 1:
    return IMB_AUTH_HMAC_SHA_1;
  case 256:
    return IMB_AUTH_HMAC_SHA_256;
  case 384:
    return IMB_AUTH_HMAC_SHA_384;
  default:
    return IMB_AUTH_HMAC_SHA_512;
  }
}

/* The state after the key's block with one of HMAC's two paddings. */
static void padded_state(struct mb_work *work, const uint8_t *key, size_t key_len, uint8_t padding, uint8_t *state) {
  uint8_t block[128];
  memset(block, padding, sizeof block);
  for (size_t n = 0; n < key_len; n++) block[n] ^= key[n];
  switch (work->hash) {
  case IMB_AUTH_HMAC_SHA_1:
    IMB_SHA1_ONE_BLOCK(work->manager, block, state);
    break;
  case IMB_AUTH_HMAC_SHA_256:
    IMB_SHA256_ONE_BLOCK(work->manager, block, state);
    break;
  case IMB_AUTH_HMAC_SHA_384:
    IMB_SHA384_ONE_BLOCK(work->manager, block, state);
    break;
  default:
    IMB_SHA512_ONE_BLOCK(work->manager, block, state);
  }
}

static void fill_job(struct mb_work *work, IMB_JOB *job, struct packet *packet) {
  memset(job, 0, sizeof *job);
  int ciphers = work->kind != HMAC_ALONE, hashes = work->kind != CBC_ALONE;
  job->cipher_mode = ciphers ? IMB_CIPHER_CBC : IMB_CIPHER_NULL;
  job->cipher_direction = work->seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
  job->hash_alg = hashes ? work->hash : IMB_AUTH_NULL;
  job->chain_order = work->seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
  job->src = packet->from;
  job->dst = packet->to;
  job->enc_keys = work->encrypting;
  job->dec_keys = work->decrypting;
  job->key_len_in_bytes = work->key_bits / 8;
  job->iv = work->iv;
  job->iv_len_in_bytes = 16;
  if (ciphers) job->msg_len_to_cipher_in_bytes = work->len;
  if (hashes) {
    job->auth_tag_output = packet->tag;
    job->auth_tag_output_len_in_bytes = work->tag_len;
    job->u.HMAC._hashed_auth_key_xor_ipad = work->inner;
    job->u.HMAC._hashed_auth_key_xor_opad = work->outer;
    job->msg_len_to_hash_in_bytes = work->len;
    /* Header and IV lie in front of the text, and stay as they are. */
    if (work->kind == CBC_HMAC) {
      job->cipher_start_src_offset_in_bytes = 24;
      job->msg_len_to_hash_in_bytes = work->len + 24;
      job->dst = packet->from + 24;
    }
  }
}

/* `hash` is 1, 256, 384 or 512; `text` has the header and the IV in front of it for CBC with HMAC. */
struct mb_work *mb_new(int kind, int seal, const uint8_t *key, size_t key_len, int hash, const uint8_t *mac_key,
                       size_t mac_key_len, size_t tag_len, const uint8_t *iv, size_t iv_len, const uint8_t *aad,
                       size_t aad_len, const uint8_t *text, size_t text_len, size_t len) {
  struct mb_work *work = NULL;
  if (text_len > LARGEST || key_len > sizeof work->key || iv_len > sizeof work->iv || aad_len > sizeof work->aad) return NULL;
  if (posix_memalign((void **)&work, 64, sizeof *work)) return NULL;
  memset(work, 0, sizeof *work);
  work->manager = alloc_mb_mgr(0);
  if (!work->manager) {
    free(work);
    return NULL;
  }
  init_mb_mgr_auto(work->manager, NULL);
  work->kind = kind;
  work->seal = seal;
  work->key_bits = (int)key_len * 8;
  work->hash = hash_of(hash);
  work->len = len;
  work->tag_len = tag_len;
  work->aad_len = aad_len;
  memcpy(work->key, key, key_len);
  memcpy(work->iv, iv, iv_len);
  memcpy(work->aad, aad, aad_len);
  if (kind == GCM_PACKET) {
    if (key_len == 16) {
      IMB_AES128_GCM_PRE(work->manager, key, &work->gcm);
    } else {
      IMB_AES256_GCM_PRE(work->manager, key, &work->gcm);
    }
  }
  if (kind == CBC_ALONE || kind == CBC_HMAC) IMB_AES_KEYEXP_128(work->manager, key, work->encrypting, work->decrypting);
  if (kind == HMAC_ALONE || kind == CBC_HMAC) {
    padded_state(work, mac_key, mac_key_len, 0x36, work->inner);
    padded_state(work, mac_key, mac_key_len, 0x5c, work->outer);
  }
  for (int n = 0; n < PACKETS; n++) {
    memcpy(work->packets[n].from, text, text_len);
    fill_job(work, &work->jobs[n], &work->packets[n]);
  }
  return work;
}

static void combined(struct mb_work *work, struct packet *packet) {
  if (work->kind == GCM_PACKET) {
    aes_gcm_enc_dec_t call = work->key_bits == 128 ? (work->seal ? work->manager->gcm128_enc : work->manager->gcm128_dec)
                                                   : (work->seal ? work->manager->gcm256_enc : work->manager->gcm256_dec);
    call(&work->gcm, &work->gcm_context, packet->to, packet->from, work->len, work->iv, work->aad, work->aad_len, packet->tag, 16);
    return;
  }
  struct chacha20_poly1305_context_data *context = &work->chacha_context;
  IMB_CHACHA20_POLY1305_INIT(work->manager, work->key, context, work->iv, work->aad, work->aad_len);
  if (work->seal) {
    IMB_CHACHA20_POLY1305_ENC_UPDATE(work->manager, work->key, context, packet->to, packet->from, work->len);
    IMB_CHACHA20_POLY1305_ENC_FINALIZE(work->manager, context, packet->tag, 16);
  } else {
    IMB_CHACHA20_POLY1305_DEC_UPDATE(work->manager, work->key, context, packet->to, packet->from, work->len);
    IMB_CHACHA20_POLY1305_DEC_FINALIZE(work->manager, context, packet->tag, 16);
  }
}

/* Processes every packet; the number of those that the library reports as done. */
int mb_run(struct mb_work *work) {
  IMB_CIPHER_DIRECTION direction = work->seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
  switch (work->kind) {
  case CBC_ALONE:
    return IMB_SUBMIT_CIPHER_BURST_NOCHECK(work->manager, work->jobs, PACKETS, IMB_CIPHER_CBC, direction, IMB_KEY_128_BYTES);
  case HMAC_ALONE:
    return IMB_SUBMIT_HASH_BURST_NOCHECK(work->manager, work->jobs, PACKETS, work->hash);
  case CBC_HMAC: {
    IMB_JOB *jobs[PACKETS];
    uint32_t got = IMB_GET_NEXT_BURST(work->manager, PACKETS, jobs);
    for (uint32_t n = 0; n < got; n++) *jobs[n] = work->jobs[n];
    uint32_t done = IMB_SUBMIT_BURST_NOCHECK(work->manager, got, jobs);
    while (done < got) {
      uint32_t more = IMB_FLUSH_BURST(work->manager, PACKETS, jobs);
      if (more == 0) break;
      done += more;
    }
    return (int)done;
  }
  default:
    for (int n = 0; n < PACKETS; n++) combined(work, &work->packets[n]);
    return PACKETS;
  }
}

/* The last packet's text and tag after a run. */
const uint8_t *mb_text(const struct mb_work *work) {
  const struct packet *last = &work->packets[PACKETS - 1];
  return work->kind == CBC_HMAC ? last->from + 24 : last->to;
}

const uint8_t *mb_tag(const struct mb_work *work) { return work->packets[PACKETS - 1].tag; }
