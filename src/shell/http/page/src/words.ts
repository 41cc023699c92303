// Every word on the screen, in English and 中文.
const WORDS: Record<string, [string, string]> = {
  city: ["City", "城市"], alarms: ["Alarms", "告警"], waves: ["Green waves", "绿波"], sensors: ["Sensors", "检测器"], audit: ["Audit", "审计"],
  index: ["delay index", "延误指数"], junctions: ["junctions", "路口"], impaired: ["not on measured demand", "未按实测需求运行"],
  zone: ["zone", "区域"], worst: ["Most time lost", "损失时间最多"], road: ["road", "道路"], time: ["veh·s lost", "损失 车·秒"],
  hold: ["Hold", "保持"], release: ["Release", "解除"], whyplan: ["Why this plan", "方案依据"], beats: ["beats", "优于"],
  group: ["group", "灯组"], demand: ["demand", "需求"], quality: ["known", "数据质量"], movements: ["movements", "流向"],
  queues: ["Queues", "排队"], queue: ["queue by lane", "各车道排队"], health: ["health", "健康"], timeline: ["stages, past and planned", "相位：已执行与计划"],
  why: ["Why?", "原因？"], sent: ["sent", "已发送"], waiting: ["Waiting for a second person", "等待他人复核"], approve: ["Approve", "批准"],
  acknowledge: ["Acknowledge", "确认"], resolve: ["Resolve", "解决"], preview: ["Preview", "预览"], start: ["Start", "启动"],
  cancel: ["Cancel", "取消"], cancelled: ["cancelled", "已取消"], from: ["from link", "起点路段"], to: ["to link", "终点路段"],
  live: ["live", "实时"], lost: ["engine lost", "引擎失联"], ended: ["the run is over", "运行结束"], token: ["token", "令牌"], enter: ["Enter", "进入"],
  measured: ["measured", "实测"], imputed: ["imputed", "推算"], ordered: ["ordered", "人工指令"], base: ["base program", "基础方案"],
  own: ["own program", "本地方案"], silent: ["silent", "失联"], fault: ["fault", "故障"], unheard: ["not heard yet", "未上线"],
  congestion: ["Congestion", "拥堵"], spill_back: ["Spill-back", "溢流"], deviates: ["Deviates from its plan", "偏离方案"],
  rejections: ["Readings rejected", "数据被拒"], green_wave: ["Green wave late", "绿波延误"],
  reported: ["reported", "已上报"], acknowledged: ["acknowledged", "已确认"], handling: ["being handled", "处理中"],
  resolved: ["resolved", "已解决"], evaluated: ["evaluated", "已评价"],
};
let zh = localStorage.getItem("lang") === "zh";
export const lang = () => (zh ? "zh" : "en");
export const turn = () => { zh = !zh; localStorage.setItem("lang", lang()); document.documentElement.lang = lang(); };
export const say = (key: string): string => WORDS[key]?.[zh ? 1 : 0] ?? key;
