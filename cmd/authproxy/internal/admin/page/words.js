'use strict';
// What the page says, by language. Messages of authproxy itself stay as they are: they are what
// the log says too.
const words = {
  en: {
    tokens: 'Tokens', upstreams: 'Upstreams', rejected: 'Turned away before any upstream', warnings: 'Warnings of the configuration',
    ready: 'ready', notReady: 'not ready', up: 'running since', config: 'configuration', loaded: 'read', updated: 'updated',
    configFault: 'The changed configuration is not served; the one before is:', gone: 'No answer from authproxy since',
    valid: 'valid', renewalFails: 'valid, renewal fails', expired: 'expired', none: 'none yet', fails: 'cannot be had',
    fingerprint: 'fingerprint', issued: 'issued', renewal: 'renewed from', expiry: 'expires', expiredAt: 'expired', last: 'last fetch', waiting: 'waiting requests',
    next: 'next try', shared: 'shared by', redis: 'Redis', file: 'a file', replaced: 'refused and replaced', for: 'for', fetched: 'in 15 minutes',
    fetches: (ok, failed) => `${ok} fetched, ${failed} failed`, noToken: 'It is asked for when a request needs it.',
    lastError: 'Last failure', rival: 'Tokens are refused soon after they were accepted: another program is likely to use the same credential. Give each program its own, or share the token (store). Seen',
    cause: { first: 'there was none', renewal: 'near its expiry', expired: 'had expired', refused: 'was refused' },
    result: { ok: 'succeeded', adopted: 'taken from the store', error: 'failed' },
    inFlight: 'in flight', requests: 'requests', failed: 'failed', perSecond: 'a second', median: 'median', p95: '95 %', p99: '99 %', duration: 'duration',
    retries: 'refused tokens', noRetries: 'no token was refused', quiet: 'no requests in 15 minutes', failures: 'Last failures', times: n => `${n} times`, theirs: status => `The upstream itself answered ${status}.`, reach: 'the application calls', leads: 'goes to', token: 'token',
    outcome: { recovered: 'recovered', still_refused: 'refused again', not_replayable: 'could not be sent again', no_new_token: 'no new token', failed: 'second try failed', too_late: 'seen too late' },
    most: 'max', now: 'now', ago: '15 min ago', at: 'at', same: 'The same facts as', on: 'on', off: 'off',
  },
  zh: {
    tokens: '令牌', upstreams: '上游', rejected: '未到达任何上游即被拒绝的请求', warnings: '配置警告',
    ready: '就绪', notReady: '未就绪', up: '启动于', config: '配置', loaded: '读取于', updated: '更新于',
    configFault: '修改后的配置未生效，仍使用之前的配置:', gone: 'authproxy 无响应，自',
    valid: '有效', renewalFails: '有效，但续期失败', expired: '已过期', none: '尚无令牌', fails: '无法获取',
    fingerprint: '指纹', issued: '签发', renewal: '续期起始', expiry: '到期', expiredAt: '已过期', last: '最近一次获取', waiting: '等待中的请求',
    next: '下次尝试', shared: '共享方式', redis: 'Redis', file: '文件', replaced: '被拒绝并更换', for: '用于', fetched: '15 分钟内',
    fetches: (ok, failed) => `获取成功 ${ok} 次，失败 ${failed} 次`, noToken: '有请求需要时才会获取。',
    lastError: '最近一次失败', rival: '令牌刚被接受不久即遭拒绝:可能有其他程序在使用同一凭据。请为每个程序配置各自的凭据，或共享令牌(store)。发现于',
    cause: { first: '尚无令牌', renewal: '即将到期', expired: '已过期', refused: '被拒绝' },
    result: { ok: '成功', adopted: '取自共享存储', error: '失败' },
    inFlight: '处理中', requests: '请求', failed: '失败', perSecond: '每秒', median: '中位数', p95: '95 %', p99: '99 %', duration: '耗时',
    retries: '被拒绝的令牌', noRetries: '没有令牌被拒绝', quiet: '15 分钟内没有请求', failures: '最近的失败', times: n => `${n} 次`, theirs: status => `上游自己返回了 ${status}。`, reach: '应用调用', leads: '转发至', token: '令牌',
    outcome: { recovered: '已恢复', still_refused: '再次被拒绝', not_replayable: '无法重发', no_new_token: '没有新令牌', failed: '重发失败', too_late: '发现过晚' },
    most: '最高', now: '现在', ago: '15 分钟前', at: '', same: '相同内容见', on: '', off: '',
  },
};
const chosen = new URLSearchParams(location.search).get('lang') || (navigator.languages || [navigator.language]).find(l => /^(en|zh)\b/i.test(l)) || 'en';
const language = /^zh/i.test(chosen) ? 'zh' : 'en';
const w = words[language];
const locale = language === 'zh' ? 'zh-CN' : (chosen.startsWith('en') ? chosen : 'en');
