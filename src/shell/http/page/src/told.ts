// What the engine says in English, in the reader's language: sentences with figures in them. What is not known here is
// shown as it was said.
import { lang } from "./words";

const SENTENCES: [RegExp, string][] = [
  [/^nobody got through in a minute$/, "一分钟内无车通过"], [/^delay index ([\d.]+)$/, "延误指数 $1"], [/^queues fill (\d+) % of it$/, "排队占路段 $1 %"],
  [/^(\d+) of (\d+) sensors cannot be believed$/, "$2 个检测器中 $1 个不可信"], [/^controller silent for (.+)$/, "信号机失联 $1"],
  [/^a lamp of group (.+) does not light$/, "灯组 $1 灯泡故障"], [/^its conflict monitor tripped$/, "冲突监视器动作"], [/^its power is failing$/, "供电故障"], [/^its clock is off$/, "时钟偏差"], [/^controller refuses plan (\d+)$/, "信号机拒绝方案 $1"],
  [/^group (.+) does not show its plan$/, "灯组 $1 未按方案显示"], [/^(\d+) readings rejected in a minute$/, "一分钟内 $1 条数据被拒"],
  [/^(.+): (\S+ ?\S*) later than is due$/, "$1：晚于应到时刻 $2"],
  [/^its demand is measured$/, "需求为实测"], [/^its demand is fused$/, "需求为融合数据"], [/^its demand is imputed$/, "需求为推算"], [/^its demand is profile$/, "需求取自历史曲线"],
  [/^its sensors do not tell well enough who is where$/, "检测器不足以确定车辆位置"],
  [/^everybody who is there needs a round of (.+)$/, "清空现有车辆需 $1 一轮"],
  [/^nothing is known of its demand$/, "需求未知"], [/^an operator holds it$/, "操作员保持"], [/^an operator pins program (.+)$/, "操作员固定方案 $1"],
  [/^its controller has said nothing for (.+)$/, "信号机已 $1 无消息"], [/^its controller has not answered (\d+) plans$/, "信号机 $1 个方案未应答"],
  [/^held$/, "保持"], [/^pinned to (.+) until (.+)$/, "固定方案 $1 至 $2"],
  [/^under way$/, "进行中"], [/^heard of$/, "已收到"], [/^planned$/, "已规划"], [/^amended$/, "已修改"], [/^its class activates by itself$/, "该类别自动激活"],
  [/^an operator activated it$/, "操作员已激活"], [/^an operator ended it$/, "操作员已结束"], [/^it is through its last signal$/, "已通过最后一个路口"],
  [/^what (\d+) of (\d+) junctions still owe stands in a later call's account$/, "$2 个路口中 $1 个的欠付转入后续请求"],
  [/^(\d+) of (\d+) junctions did not pay back within (\d+) cycles what others lost$/, "$2 个路口中 $1 个未在 $3 个周期内补偿他车损失"],
  [/^(\d+) of (\d+) junctions no longer tell what they owe$/, "$2 个路口中 $1 个不再报告补偿"],
  [/^(\d+) of (\d+) junctions did not pay back within (\d+) cycles what others lost; (\d+) of \d+ junctions no longer tell what they owe$/, "$2 个路口中 $1 个未在 $3 个周期内补偿他车损失，$4 个不再报告补偿"],
  [/^there (\d+) s later, costs others (\d+) veh·s more$/, "晚到 $1 秒，他车代价多 $2 车·秒"], [/^there (\d+) s later, costs others (\d+) veh·s less$/, "晚到 $1 秒，他车代价少 $2 车·秒"],
  [/^compared with other ways$/, "已与其他路线比较"], [/^a queue ahead does not move: planned anew around it$/, "前方排队不动：已绕行"],
  [/^a queue ahead does not move, and no way around it is faster$/, "前方排队不动，绕行不更快"],
  [/^it finds no gap: others have their greens until it does$/, "等待空隙：其间放行他车"],
  [/^nothing is heard of the vehicle any more$/, "车辆已无消息"], [/^every junction is back to its traffic$/, "各路口已恢复"], [/^it moves again$/, "重新行驶"],
];

export function told(text: string): string {
  if (lang() === "en") return text;
  const known = SENTENCES.find(([pattern]) => pattern.test(text));
  return known ? text.replace(known[0], known[1]) : text;
}
