// Every word on the screen, in English and 中文.
const WORDS: Record<string, [string, string]> = {
  // frame
  city: ["City", "城市"], alarms: ["Alarms", "告警"], waves: ["Green waves", "绿波"], orders: ["Orders", "指令"],
  sensors: ["Sensors", "检测器"], audit: ["Audit", "审计"], search: ["Find a junction, road or zone  /", "查找路口、道路或区域  /"],
  live: ["live", "实时"], lost: ["engine lost, shown as of", "引擎失联，数据截至"], ago: ["ago", "之前"], ended: ["the run is over", "运行结束"],
  signout: ["Sign out", "退出"], token: ["Token", "令牌"], enter: ["Sign in", "登录"],
  please: ["Sign in with a token of your own, or with the address that was printed at the start.", "请用本人令牌登录，或使用启动时显示的地址。"],
  keys: ["Keys: 1–6 views · / find · Esc back · L language", "快捷键：1–6 视图 · / 查找 · Esc 返回 · L 语言"],
  nothing: ["Nothing.", "无。"], close: ["Close", "关闭"], back: ["Back", "返回"],
  // figures
  index: ["delay index", "延误指数"], tpi: ["performance index", "运行指数"], junctions: ["junctions", "路口"],
  impaired: ["not on measured demand", "未按实测需求"], quality: ["known", "数据质量"], trend: ["Delay index, last day", "延误指数，近一日"], trendahead: ["Delay index, last day and half an hour ahead", "延误指数，近一日及未来半小时"],
  hour: ["Delay index, last hour", "延误指数，近一小时"], quarter: ["in 15 min", "15 分钟内"], nodata: ["no traffic", "无车流"],
  smooth: ["smooth", "畅通"], slow: ["slow", "缓行"], congested: ["congested", "拥堵"], severe: ["severely congested", "严重拥堵"], none: ["not known yet", "暂无数据"],
  measured: ["measured", "实测"], fused: ["fused", "融合"], imputed: ["imputed", "推算"], profile: ["time-of-day profile", "历史曲线"],
  // places
  wholecity: ["the whole city", "全市"], district: ["district", "城区"], street: ["street", "街道"], community: ["community", "社区"],
  below: ["Below", "下级区域"], zone: ["zone", "区域"], worststreets: ["Worst streets", "最拥堵街道"], worstjunctions: ["Worst junctions", "最拥堵路口"], worst: ["Roads where most time is lost", "损失时间最多的道路"],
  road: ["road", "道路"], time: ["veh·s lost", "损失 车·秒"], wrong: ["What is wrong here", "异常情况"], fine: ["Nothing is wrong here.", "一切正常。"],
  // junction
  ordered: ["ordered", "人工指令"], base: ["base program", "基础方案"], own: ["own program", "本地方案"], silent: ["silent", "失联"],
  fault: ["fault", "故障"], unheard: ["not heard yet", "未上线"],
  hold: ["Hold", "保持"], release: ["Release", "解除"], pin: ["Pin…", "固定方案…"], limit: ["Limits…", "限值…"], revision: ["plan", "方案"],
  stages: ["Stages, run and planned", "相位：已执行与计划"], whyplan: ["Why this plan", "方案依据"],
  horizon: ["Rolling schedule", "滚动优化"], basesource: ["Base program", "基础方案"], operator: ["Operator's order", "人工指令"], corridor: ["Green wave", "绿波"],
  actuated: ["Actuated", "感应控制"], maxpressure: ["Max pressure", "最大压力"], timed: ["Timed for the demand there is", "按实时需求定时"],
  costs: ["expected delay", "预计延误"], beats: ["Best other choice: next", "次优选择：下一相位"], more: ["more", "更多"], bound: ["Bound by", "约束"],
  refusedlast: ["Last draft refused", "最近被拒方案"], group: ["group", "灯组"], demand: ["demand", "需求"], movements: ["leads", "流向"],
  queues: ["Queues by movement", "各流向排队"], queue: ["vehicles", "车辆"], sharedlane: ["some stand in lanes that others use too", "含共用车道车辆"],
  diagram: ["Time and space along", "时距图："], along: ["green this way", "同向绿灯"], against: ["green the other way", "对向绿灯"], all: ["all good", "全部正常"], of: ["of", "/"], health: ["health", "健康"], since: ["since", "自"],
  good: ["good", "正常"], program: ["Program", "方案"], minutes: ["Minutes", "分钟"], mingreen: ["Shortest green, s", "最小绿灯，秒"], maxred: ["Longest red, s", "最大红灯，秒"],
  // link and zone orders
  closelink: ["Close road", "封闭道路"], openlink: ["Open road", "开放道路"], closelane: ["Close lane", "封闭车道"], openlane: ["Open lane", "开放车道"], lane: ["Lane, from the kerb", "车道（自路缘起）"],
  mode: ["Mode…", "模式…"], shadow: ["shadow: compute only", "影子：仅计算"], advise: ["advise: show plans", "建议：展示方案"], control: ["control: plans go to controllers", "控制：下发方案"],
  // orders
  why: ["Why?", "原因？"], confirm: ["Order", "下达"], dual: ["Needs a second person's approval.", "需他人复核。"], sent: ["Sent", "已发送"],
  waiting: ["Waiting for a second person", "等待他人复核"], approve: ["Approve", "批准"], outcomes: ["What came of yours", "本人指令结果"], noright: ["Outside your authority", "超出权限"],
  close_link: ["close road", "封闭道路"], open_link: ["open road", "开放道路"], close_lane: ["close lane", "封闭车道"], open_lane: ["open lane", "开放车道"],
  green_wave: ["Green wave late", "绿波延误"], cancel_green_wave: ["cancel green wave", "取消绿波"],
  // alarms
  acknowledge: ["Acknowledge", "确认"], assign: ["Assign…", "指派…"], handle: ["Note…", "处理说明…"], resolve: ["Resolve…", "解决…"], real: ["Was real", "属实"], unreal: ["Was not real", "误报"],
  whom: ["To whom?", "指派给？"], note: ["What is being done?", "正在采取的措施？"], due: ["due in", "剩余"], overdue: ["overdue", "超时"], atdesk: ["with", "经办"],
  congestion: ["Congestion", "拥堵"], spill_back: ["Spill-back", "溢流"], deviates: ["Deviates from plan", "偏离方案"],
  rejections: ["Readings rejected", "数据被拒"], reported: ["reported", "已上报"], acknowledged: ["acknowledged", "已确认"], handling: ["being handled", "处理中"],
  resolved: ["resolved", "已解决"], evaluated: ["evaluated", "已评价"], places: ["places", "处"], open: ["Open", "未结"], closed: ["Closed", "已结"], answered: ["How fast alarms are answered", "告警响应统计"],
  kind: ["kind", "类别"], raised: ["raised", "产生"], acks: ["s to acknowledge", "确认 秒"], ress: ["s to resolve", "解决 秒"], escalated: ["escalated", "升级"], unrealn: ["not real", "误报"],
  // waves
  from: ["From road", "起点道路"], to: ["To road", "终点道路"], vehicle: ["Vehicle", "车辆"], pick: ["Type, or click roads on the map.", "输入，或在地图上点选道路。"],
  preview: ["Preview", "预览"], start: ["Start green wave", "启动绿波"], cancel: ["Cancel", "取消"], activate: ["Activate", "激活"], way: ["way", "路线"], now: ["now", "当前"], free: ["without lights or traffic", "无信号无车流"],
  requested: ["requested", "已请求"], planned: ["planned", "已规划"], active: ["active", "进行中"], passed: ["passed", "已通过"], cancelled: ["cancelled", "已取消"],
  timed_out: ["timed out", "已超时"], recovered: ["recovered", "已恢复"], refused: ["refused", "被拒绝"], arrives: ["arrives", "预计到达"], gates: ["Signals ahead", "前方信号"], green_at: ["green from", "绿灯开始"], cost: ["expected to cost others", "预计他车代价"],
  later: ["later by", "晚到"],
  otherways: ["Other ways", "其他路线"], show: ["Show", "显示"], whynot: ["not taken", "未选原因"],
  hascost: ["has cost others", "他车已付代价"], unrecovered: ["not recovered in time", "未按时恢复"], back_at: ["coordinated", "恢复协调"], standing: ["stands", "状态"],
  owed_serves: ["serves it since", "服务自"], owed_owes: ["owes since", "欠付自"], owed_paid_back: ["paid back", "已补偿"], owed_passed_on: ["passed on", "转入后续请求"],
  owed_overdue: ["not paid back by", "逾期未补偿"], owed_lost: ["not known since", "失去统计自"],
  // audit
  who: ["who", "何人"], what: ["what", "何事"], where: ["where", "何处"], reason: ["why", "原因"], change: ["before → after", "前 → 后"],
  legend: ["delay index", "延误指数"], newwave: ["New green wave", "新建绿波"], underway: ["Under way", "进行中"], past: ["Over", "已结束"],
};
let zh = localStorage.getItem("lang") === "zh";
export const lang = () => (zh ? "zh" : "en");
export const turn = () => { zh = !zh; localStorage.setItem("lang", lang()); document.documentElement.lang = lang(); };
document.documentElement.lang = lang();
export const say = (key: string): string => WORDS[key]?.[zh ? 1 : 0] ?? key.replaceAll("_", " ");
